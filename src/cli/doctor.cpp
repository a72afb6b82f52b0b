// What works on this machine (nothing is changed, nothing is computed), and parity with the official code.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "cli/commands.h"
#include "cli/document.h"
#include "cli/engine_client.h"
#include "cli/run_display.h"
#include "cli/terminal.h"
#include "core/error.h"
#include "core/recipes.h"
#include "core/site.h"
#include "runs/database.h"

namespace simmim {
namespace {

struct Report {
  Json rows = Json::array();
  Code worst = Code::ok;
  void add(const std::string& what, bool good, const std::string& text) {
    rows.push_back({{"what", what}, {"ok", good ? "yes" : "NO"}, {"found", text}});
  }
  // `look` throws Error when something is wrong; the doctor says so and goes on.
  template <class Look>
  void examine(const std::string& what, const Look& look) {
    try {
      add(what, true, look());
    } catch (const Error& error) {
      add(what, false, error.what());
      if (worst == Code::ok) worst = error.code();
    }
  }
};

std::string disk_text(const std::string& out) {
  fs::path folder = fs::absolute(out);
  while (!fs::exists(folder)) folder = folder.parent_path();
  if (access(folder.c_str(), W_OK) != 0)
    fail(Code::data, "{} cannot be written to; choose another folder with --out", folder.string());
  std::error_code error;
  const fs::space_info space = fs::space(folder, error);
  return fmt::format("{}: {} free", folder.string(), error ? "?" : bytes_text(static_cast<double>(space.available)));
}

int run_doctor(const CommonOptions& common) {
  Report report;
  report.add("program", true, SIMMIM_VERSION);
  report.add("cores", true, std::to_string(usable_cores()));
  report.examine("engine", [] {
    const Json schema = engine_call({{"command", "schema"}});
    return fmt::format("loads; {} sections of options", schema.value("sections", Json::array()).size());
  });
  report.add("cuda driver", true, fs::exists("/dev/nvidiactl") ? "present" : "none: device=auto takes the CPU");
  report.examine("results folder", [&] { return disk_text(common.out); });
  report.examine("database", [&] {
    const fs::path file = common.database();
    if (!fs::exists(file)) return file.string() + ": none yet";
    Sqlite database = open_for_reading(file, common.out);
    Statement count = database.prepare("SELECT count(*) FROM results");
    count.step();
    const std::string no_wal = why_no_wal(file);
    return fmt::format("{}: {} runs, schema {}{}", file.string(), count.integer(0), stored_schema_version(file),
                       no_wal.empty() ? "" : "; a rollback journal instead of WAL: " + no_wal);
  });
  report.examine("site file", [] {
    const fs::path file = site_file();
    if (!fs::exists(file)) return file.string() + ": none (not needed)";
    read_site();
    return file.string();
  });
  print_document(report.rows, common.json);
  std::fflush(stdout);
  hint(common,
       report.worst == Code::ok ? "simmim pretrain --dry-run" : "put right what says NO, then simmim doctor again");
  return static_cast<int>(report.worst);
}

// The golden files of the source tree that the program was built in, or those that were installed with it.
fs::path golden_folder() {
  const fs::path above = program_path().parent_path().parent_path();
  for (const fs::path& folder : {above / "tests/golden", above / "share/simmim/golden"})
    if (fs::is_directory(folder)) return folder;
  fail(Code::data, "golden files: neither in {} nor in {}; name their folder with --golden",
       (above / "tests/golden").string(), (above / "share/simmim/golden").string());
}

// One line a quantity and model, f64 and f32 side by side.
Json parity_table(const Json& rows) {
  Json lines = Json::array();
  for (const Json& row : rows) {
    auto line = std::find_if(lines.begin(), lines.end(), [&](const Json& other) {
      return other["compared"] == row["compared"] && other["model"] == row["model"];
    });
    if (line == lines.end()) {
      lines.push_back({{"compared", row["compared"]}, {"model", row["model"]}, {"values", 0}});
      for (const char* column : {"f64", "allowed", "f32", "allowed in f32"}) lines.back()[column] = "";
      lines.back()["verdict"] = "ok";
      line = lines.end() - 1;
    }
    const bool f64 = row["precision"] == "f64";
    const auto number = [](const Json& value) {
      return value.is_number() && std::isfinite(value.get<double>()) ? fmt::format("{:.1e}", value.get<double>())
                                                                     : std::string("missing");
    };
    (*line)["values"] = (*line)["values"].get<int64_t>() + row["values"].get<int64_t>();
    (*line)[f64 ? "f64" : "f32"] = number(row["difference"]);
    (*line)[f64 ? "allowed" : "allowed in f32"] = number(row["allowed"]);
    if (!row["ok"].get<bool>()) (*line)["verdict"] = "FAILED at " + row["worst"].get<std::string>();
  }
  return lines;
}

int run_parity(const std::string& golden, const CommonOptions& common) {
  RunDisplay display("parity", common.quiet);
  // One thread, as the golden files were made: the models are too small for more.
  const Json answer = engine_call({{"command", "parity"},
                                   {"golden", (golden.empty() ? golden_folder() : fs::path(golden)).string()},
                                   {"threads", 1}},
                                  [&](const Json& event) { display.event(event); });
  display.finish();
  const int64_t failed = answer.at("failed");
  if (common.json) {
    print_document(answer, true);
  } else {
    std::fputs(("Largest relative differences from the official code (" + answer.at("official").get<std::string>() +
                "), and what is allowed:\n\n")
                   .c_str(),
               stdout);
    print_document(parity_table(answer.at("rows")), false);
    std::fputs(fmt::format("\n{} values compared, {} of {} comparisons failed; golden files: {}\n",
                           answer.at("compared").get<int64_t>(), failed, answer.at("rows").size(),
                           answer.at("golden").get<std::string>())
                   .c_str(),
               stdout);
  }
  std::fflush(stdout);
  return static_cast<int>(failed == 0 ? Code::ok : Code::run_failed);
}

}  // namespace

Command doctor_command() {
  return {"doctor", "Program", "what works on this machine; parity: how far this program is from the official code",
          [](Args& args) {
            auto what = std::make_shared<std::string>(), golden = std::make_shared<std::string>();
            args.example("simmim doctor");
            args.example("simmim doctor parity");
            args.positional("parity", *what, "compute what the official code computed, and show the differences",
                            {"parity"});
            args.option("--golden", "DIR", *golden, "parity: the official values (default: those of this program)");
            return [what, golden, common = args.shared_common()] {
              if (!what->empty() && *what != "parity")
                fail(Code::usage, "doctor: unknown word '{}'; use parity, or no word", *what);
              if (what->empty() && !golden->empty()) fail(Code::usage, "doctor: --golden is for simmim doctor parity");
              return what->empty() ? run_doctor(*common) : run_parity(*golden, *common);
            };
          }};
}

}  // namespace simmim
