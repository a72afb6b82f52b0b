// What works on this machine: nothing is changed, nothing is computed.
#include <fmt/format.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/document.h"
#include "cli/engine_client.h"
#include "cli/terminal.h"
#include "core/error.h"
#include "runs/database.h"
#include "runs/schema.h"

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

fs::path site_file() {
  const char* config = std::getenv("XDG_CONFIG_HOME");
  return (config && *config ? fs::path(config) : home_folder() / ".config") / "simmim/site.json";
}

std::string disk_text(const std::string& out) {
  fs::path folder = fs::absolute(out);
  while (!fs::exists(folder)) folder = folder.parent_path();
  if (access(folder.c_str(), W_OK) != 0)
    fail(Code::data, "{} cannot be written to; choose another folder with --out", folder.string());
  std::error_code error;
  const fs::space_info space = fs::space(folder, error);
  return fmt::format("{}: {} free", folder.string(), error ? "?" : bytes_text(static_cast<double>(space.available)));
}

int run(const CommonOptions& common) {
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
    return fmt::format("{}: {} runs, schema {}", file.string(), count.integer(0), kSchemaVersion);
  });
  report.examine("site file", [] {
    const fs::path file = site_file();
    if (!fs::exists(file)) return file.string() + ": none (not needed)";
    read_json_file(file);
    return file.string();
  });
  print_document(report.rows, common.json);
  std::fflush(stdout);
  hint(common,
       report.worst == Code::ok ? "simmim pretrain --dry-run" : "put right what says NO, then simmim doctor again");
  return static_cast<int>(report.worst);
}

}  // namespace

Command doctor_command() {
  return {"doctor", "Program", "what works on this machine", [](Args& args) {
            args.example("simmim doctor");
            return [common = args.shared_common()] { return run(*common); };
          }};
}

}  // namespace simmim
