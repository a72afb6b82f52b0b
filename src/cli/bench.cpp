#include <unistd.h>

#include "cli/bench_front.h"
#include "cli/commands.h"
#include "cli/config_request.h"
#include "cli/document.h"
#include "cli/engine_client.h"
#include "cli/engine_command.h"
#include "cli/terminal.h"
#include "core/error.h"
#include "core/names.h"
#include "report/bench_database.h"

namespace simmim {
namespace {

struct Options {
  std::vector<std::string> words;
  std::string stage = "pretrain";
  std::optional<int64_t> threads;
};

struct TemporaryFolder {
  fs::path path = fs::temp_directory_path() / fmt::format("simmim-bench-{}", getpid());
  TemporaryFolder() { make_folder(path); }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
};

int run(const Options& options, const CommonOptions& common) {
  static const std::vector<std::string> kinds = {"step", "loader", "database", "start"};
  ConfigWords words = split_words(options.words);
  if (words.plain.empty()) fail(Code::usage, "bench: what? {}; see simmim bench --help", one_of(kinds));
  const std::string what = words.plain[0];
  if (std::find(kinds.begin(), kinds.end(), what) == kinds.end())
    fail(Code::usage, "bench: unknown measurement '{}'{}", what, unknown_name_hint(what, kinds));
  words.plain.erase(words.plain.begin());
  if (what == "start") {
    print_document(bench_start(), common.json);
    return 0;
  }
  if (what == "database") {
    TemporaryFolder folder;
    const DatabaseBench size;
    say(common.quiet, fmt::format("filling a database of {} runs and {} metric rows ...", size.runs, size.metrics));
    print_document(
        bench_database(folder.path, size,
                       [&](int64_t runs) { say(common.quiet, fmt::format("{} of {} runs", runs, size.runs)); }),
        common.json);
    return 0;
  }
  if (options.threads) set_engine_threads(static_cast<int>(*options.threads));
  Json request = config_request("bench", config_layers("bench", words), common);
  request["what"] = what;
  request["stage"] = options.stage;
  request["threads"] = options.threads.value_or(0);
  return run_engine_command({.title = "bench " + what, .request = request}, common);
}

}  // namespace

Command bench_command() {
  return {"bench", "Use", "speed of a step, the loader, the database, or the start of the program", [](Args& args) {
            auto options = std::make_shared<Options>();
            args.example("simmim bench step encoder.preset=vit_base data.image_size=224 pretrain.batch_size=8");
            args.example("simmim bench loader data.name=image_folder data.train=photos");
            args.positional("WHAT|key=value", options->words,
                            "what to measure; a recipe, and leaves of the configuration",
                            {"step", "loader", "database", "start"});
            args.option("--stage", "STAGE", options->stage, "whose step", {"pretrain", "finetune"});
            args.option("--threads", "N", options->threads, "processor threads (default: all, or SIMMIM_THREADS)", 1);
            return [options, common = args.shared_common()] { return run(*options, *common); };
          }};
}

}  // namespace simmim
