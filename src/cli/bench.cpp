#include "cli/bench_front.h"
#include "cli/commands.h"
#include "cli/config_request.h"
#include "cli/document.h"
#include "cli/engine_client.h"
#include "cli/engine_command.h"
#include "cli/schema.h"
#include "cli/temporary_folder.h"
#include "cli/terminal.h"
#include "core/error.h"
#include "core/names.h"
#include "report/bench_database.h"

namespace simmim {
namespace {

struct BenchOptions {
  std::vector<std::string> words;
  std::string stage = "pretrain";
  std::optional<int64_t> threads;
};

int run_bench(const BenchOptions& options, const CommonOptions& common) {
  static const std::vector<std::string> kinds = {"step", "loader", "sweep", "database", "start"};
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
    const TemporaryFolder folder("simmim-bench");
    const DatabaseBench size;
    say(common.quiet, fmt::format("filling a database of {} runs and {} metric rows ...", size.runs, size.metrics));
    print_document(
        bench_database(folder.path, size,
                       [&](int64_t runs) { say(common.quiet, fmt::format("{} of {} runs", runs, size.runs)); }),
        common.json);
    return 0;
  }
  if (what == "sweep") {
    if (options.threads) fail(Code::usage, "bench sweep: it measures several numbers of threads; leave --threads out");
    words.plain.insert(words.plain.end(), words.overrides.begin(), words.overrides.end());
    words.plain.insert(words.plain.end(), {"--stage", options.stage});
    print_document(bench_sweep(words.plain), common.json);
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
  return {
      "bench", "Use", "speed of a step, the loader, a sweep's workers, the database, or the start of the program",
      [](Args& args) {
        auto options = std::make_shared<BenchOptions>();
        args.example("simmim bench step encoder.preset=vit_base data.image_size=224 pretrain.batch_size=8");
        args.example("simmim bench loader data.name=image_folder data.train=photos");
        args.positional("WHAT|key=value", options->words, "what to measure; a recipe, and leaves of the configuration",
                        {"step", "loader", "sweep", "database", "start"});
        args.option("--stage", "STAGE", options->stage, "whose step", {"pretrain", "finetune"});
        args.option("--threads", "N", options->threads, "processor threads (default: all, or SIMMIM_THREADS)", 1);
        args.notes([] { return stage_options_text("pretrain") + "With --stage finetune: simmim finetune --help\n"; });
        return [options, common = args.shared_common()] { return run_bench(*options, *common); };
      }};
}

}  // namespace simmim
