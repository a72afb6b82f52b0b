#include "cli/stage_command.h"

#include <cstdio>

#include "cli/config_request.h"
#include "cli/engine_client.h"
#include "cli/run_display.h"
#include "cli/schema.h"
#include "core/error.h"
#include "core/launch.h"
#include "runs/database.h"
#include "runs/estimate.h"
#include "runs/run_folder.h"

namespace simmim {
namespace {

struct StageOptions {
  std::vector<std::string> words;
  std::string from;
  bool dry_run = false, resume = false, fresh = false, force = false;
  std::optional<int64_t> threads;
};

void print_plan(Json stage, const CommonOptions& common) {
  // What auto comes to here; the run itself asks again where it runs.
  if (const Json* device = find_path(stage, "plan.device"); device != nullptr && stage["config"]["device"] == "auto")
    stage["config"]["device"] = *device;
  if (common.json) {
    fmt::print("{}\n", stage.dump(2));
    return;
  }
  fmt::print("{}\n", stage.at("config").dump(2));
  const Json plan = stage.value("plan", Json::object());
  fmt::print("run                {}\n", stage.at("id").get<std::string>());
  for (const auto& [key, value] : plan.items())
    if (key != "memory" && key != "disk")
      fmt::print("{:<18} {}\n", key,
                 value.is_number() && value.get<double>() >= 1e4 ? count_text(value.get<double>()) : value.dump());
  for (const char* key : {"memory", "disk"})
    if (plan.contains(key)) fmt::print("{:<18} {}\n", key, bytes_text(plan[key].get<double>()));
  const Estimate time = estimate_time(stage, read_history(open_for_reading(common.database(), common.out), common.out));
  fmt::print("{:<18} {}\n", "estimated time", time.text(duration_text(time.seconds)));
}

void print_summary(const Json& answer, const CommonOptions& common) {
  if (common.json) {
    fmt::print("{}\n", answer.dump());
    return;
  }
  const Json summary = answer.value("summary", Json::object());
  std::string line = fmt::format("run {} {}", answer.value("id", ""), answer.value("state", ""));
  for (const char* key : {"val_top1", "test_top1", "val_loss", "train_loss", "images_per_second", "seconds"}) {
    const auto it = summary.find(key);
    if (it != summary.end() && it->is_number()) line += fmt::format("  {} {:.4g}", key, it->get<double>());
  }
  fmt::print("{}\n", line);
}

int finish(const StageCommand& command, const Json& answer, const CommonOptions& common) {
  const std::string id = answer.value("id", ""), state = answer.value("state", "");
  print_summary(answer, common);
  if (state == "done") {
    hint(common, fmt::format(fmt::runtime(command.next), id));
    return 0;
  }
  if (state == "interrupted") {
    say(common.quiet,
        fmt::format("saved in {}; the same command goes on from there", run_path(common.out, id).string()));
    return static_cast<int>(Code::interrupted);
  }
  fmt::print(stderr, "simmim: run {} {}: {}\n", id, state, answer.value("error", "see its log.txt"));
  hint(common, "simmim log " + id);
  return static_cast<int>(Code::run_failed);
}

// The processes that share a run, met and taken leave of. Alone it does nothing.
class Together {
 public:
  explicit Together(const Launch& launch) : many_(launch.many()) {
    if (many_) engine_call({{"command", "join"}});
  }
  ~Together() {
    if (!many_) return;
    try {
      engine_call({{"command", "leave"}});
    } catch (const Error&) {  // said before
    }
  }
  Together(const Together&) = delete;

 private:
  bool many_;
};

int run_stage(const StageCommand& command, const StageOptions& options, const CommonOptions& common) {
  const Launch& launch = this_launch();
  if (command.stage == "probe") check_alone(launch, "probe");
  const bool shared = launch.many() && command.stage != "probe";
  set_engine_threads(static_cast<int>(options.threads.value_or(0)), shared ? launch.local_size : 1);
  const Together together(shared ? launch : Launch());
  if (shared && launch.rank > 0) {
    const Json answer = engine_call({{"command", "run"},
                                     {"out", common.out},
                                     {"db", common.database().string()},
                                     {"threads", options.threads.value_or(0)}});
    return static_cast<int>(answer.value("state", "") == "interrupted" ? Code::interrupted : Code::ok);
  }
  if (command.needs_from && options.from.empty())
    fail(Code::usage, "{}: --from is missing; give a run, a checkpoint{}", command.stage,
         command.stage == "finetune" ? " or scratch" : "");
  if (options.resume && options.fresh)
    fail(Code::usage, "{}: --resume and --fresh exclude each other; give one", command.stage);
  Json request = config_request("resolve", config_layers(command.stage, split_words(options.words)), common);
  request["stages"] = {command.stage};
  if (!options.from.empty()) request["from"] = options.from;
  if (options.force) request["force"] = true;
  if (options.dry_run) request["measure"] = true;
  const Json resolved = engine_call(request);
  for (const Json& warning : resolved.value("warnings", Json::array())) warn(warning.get<std::string>());
  const Json& stage = resolved.at("stages").back();
  if (options.dry_run) {
    print_plan(stage, common);
    hint(common, "the same command without --dry-run");
    return 0;
  }
  const std::string id = stage.at("id");
  const fs::path folder = run_path(common.out, id);
  const Json record = read_record(folder);
  const std::string state = effective_state(folder, record);
  if (state == "done" && !options.fresh) {
    say(common.quiet, fmt::format("run {} is already done: reused (--fresh starts over)", id));
    return finish(command, {{"id", id}, {"state", "done"}, {"summary", record.value("summary", Json::object())}},
                  common);
  }
  if (options.resume && record.empty())
    fail(Code::usage, "--resume: no run {} in {}; leave --resume out to start it", id, common.out);
  const Json plan = stage.value("plan", Json::object());
  std::string facts;
  for (const char* key : {"steps", "peak_lr", "parameters"})
    if (plan.contains(key)) facts += fmt::format("  {} {}", key, plan[key].dump());
  say(common.quiet,
      fmt::format("{} {}{}{}", command.stage, id, facts, record.empty() ? "" : "  (goes on from its checkpoint)"));
  RunDisplay display(command.stage, common.quiet);
  const Json answer = engine_call({{"command", "run"},
                                   {"stage", stage},
                                   {"out", common.out},
                                   {"db", common.database().string()},
                                   {"threads", options.threads.value_or(0)},
                                   {"fresh", options.fresh}},
                                  [&](const Json& event) { display.event(event); });
  display.finish();
  return finish(command, answer, common);
}

}  // namespace

Command stage_command(const StageCommand& command) {
  return {command.stage, "Train", command.help, [command](Args& args) {
            auto options = std::make_shared<StageOptions>();
            args.example(command.example);
            args.positional("RECIPE|key=value", options->words,
                            "a recipe (path or name), and leaves of the configuration");
            args.option("--from", "RUN|FILE", options->from,
                        command.stage == "finetune" ? "a run, a checkpoint or scratch" : "a run or a checkpoint");
            args.flag("-n,--dry-run", options->dry_run,
                      "show the resolved configuration, sizes, steps and time; compute nothing");
            args.flag("--resume", options->resume,
                      "go on with the run of this configuration (the default; here an error if there is none)");
            args.flag("--fresh", options->fresh, "start over, also if it is done");
            args.flag("--force", options->force, "accept a normalisation other than the checkpoint's");
            args.option("--threads", "N", options->threads, "processor threads (default: all, or SIMMIM_THREADS)", 1);
            args.notes([stage = command.stage] { return stage_options_text(stage); });
            return [command, options, common = args.shared_common()] { return run_stage(command, *options, *common); };
          }};
}

}  // namespace simmim
