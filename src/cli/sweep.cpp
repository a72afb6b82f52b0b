#include <algorithm>
#include <cstdio>
#include <set>

#include "cli/commands.h"
#include "cli/config_request.h"
#include "cli/engine_client.h"
#include "cli/sweep_display.h"
#include "core/error.h"
#include "core/names.h"
#include "runs/filter.h"
#include "runs/ingest.h"
#include "runs/run_folder.h"
#include "sweep/estimate.h"
#include "sweep/local.h"
#include "sweep/plan.h"
#include "sweep/recipes.h"

namespace simmim {
namespace {

struct Options {
  std::vector<std::string> words;
  bool dry_run = false, retry_failed = false;
  std::string executor = "local", resources, only;
  std::optional<int64_t> jobs, threads, seeds, max_failures;
};

// Workers and threads a run: what is asked for, else what the last plan or the file says, else all cores for one run.
struct Shares {
  int jobs, threads;
};
Shares divide_cores(const Options& options, const SweepFile& sweep, const fs::path& out) {
  const int cores = usable_cores();
  int64_t threads = options.threads.value_or(0);
  if (threads == 0)
    if (const auto plan = read_plan(out, sweep.name)) threads = plan->value("threads", int64_t{0});
  if (threads == 0) threads = sweep.resources.value("threads", int64_t{0});
  if (threads == 0) threads = options.jobs ? std::max<int64_t>(1, cores / *options.jobs) : cores;
  const int64_t jobs = options.jobs.value_or(std::max<int64_t>(1, cores / threads));
  if (jobs < 1) fail(Code::usage, "--jobs: got 0; allowed: at least 1");
  return {static_cast<int>(jobs), static_cast<int>(threads)};
}

// measure: for an estimate of the time, too.
std::vector<Json> resolve_all(const std::vector<Json>& requests, bool measure, const CommonOptions& common) {
  const Json answer = engine_call({{"command", "resolve"},
                                   {"requests", requests},
                                   {"measure", measure},
                                   {"out", common.out},
                                   {"db", common.database().string()}});
  return answer.at("results").get<std::vector<Json>>();
}

// The runs of the cells and seeds that EXPR keeps, parents first.
std::vector<std::string> select_runs(const Json& plan, const std::string& only) {
  const std::vector<Condition> conditions = parse_filter(only);
  std::set<std::string> kept;
  for (const Json& cell : plan.at("cells"))
    for (const Json& chain : cell.at("chains")) {
      const auto value = [&](const std::string& key) -> Value {
        if (key == "seed") return to_value(chain["seed"]);
        if (key == "cell") return to_value(cell["cell"]);
        for (const char* part : {"values", "set"})
          if (cell[part].contains(key)) return to_value(cell[part][key]);
        return {};
      };
      if (fulfils_all(conditions, value))
        for (const Json& member : chain["runs"]) kept.insert(member["id"].get<std::string>());
    }
  if (kept.empty()) fail(Code::usage, "--only: no cell is '{}'; see the cells with --dry-run", only);
  std::vector<std::string> order = runs_in_order(plan);
  std::erase_if(order, [&](const std::string& run) { return !kept.contains(run); });
  return order;
}

struct Cost {
  double images = 0, steps = 0, seconds = 0, disk = 0, memory = 0;  // memory: of the largest run
  bool measured = true;                                             // all of the time is from earlier runs
};
Cost cost_of(const Json& plan, const std::vector<std::string>& runs, const History& history) {
  Cost cost;
  for (const std::string& run : runs) {
    const Json& entry = plan.at("runs").at(run);
    const Json numbers = entry.value("plan", Json::object());
    const Estimate time = estimate_time(entry, history);
    cost.images += numbers.value("images", 0.0);
    cost.steps += numbers.value("steps", 0.0);
    cost.disk += numbers.value("disk", 0.0);
    cost.memory = std::max(cost.memory, numbers.value("memory", 0.0));
    cost.seconds += time.seconds;
    cost.measured = cost.measured && time.measured;
  }
  return cost;
}

std::string counted(size_t count, const std::string& noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

// "5 runs to do (2 pretrain, 3 finetune), 1 reused"
std::string runs_text(const Json& plan, const PlanState& state) {
  std::vector<std::pair<std::string, int>> kinds;
  for (const std::string& run : state.todo) {
    const std::string kind = plan.at("runs").at(run).value("kind", "");
    auto it = std::find_if(kinds.begin(), kinds.end(), [&](const auto& item) { return item.first == kind; });
    if (it == kinds.end()) it = kinds.insert(kinds.end(), {kind, 0});
    ++it->second;
  }
  std::string text = counted(state.todo.size(), "run") + " to do";
  for (size_t i = 0; i < kinds.size(); ++i)
    text += fmt::format("{}{} {}", i ? ", " : " (", kinds[i].second, kinds[i].first);
  if (!kinds.empty()) text += ")";
  if (!state.reused.empty()) text += fmt::format(", {} done already and reused", state.reused.size());
  if (!state.failed.empty()) text += fmt::format(", {} failed (--retry-failed runs them again)", state.failed.size());
  return text;
}

size_t members_of(const Json& plan) {
  size_t count = 0;
  for (const Json& cell : plan.at("cells"))
    for (const Json& chain : cell.at("chains")) count += chain.at("runs").size();
  return count;
}

void print_dry_run(const Json& plan, const std::vector<std::string>& runs, const Shares& shares,
                   const CommonOptions& common) {
  const PlanState state = plan_state(common.out, runs);
  const Cost cost = cost_of(plan, state.todo, read_history(common.database(), common.out));
  const Estimate time{cost.seconds / shares.jobs, cost.measured};
  if (common.json) {
    Json document = {
        {"plan", plan},           {"todo", state.todo},
        {"reused", state.reused}, {"failed", state.failed},
        {"steps", cost.steps},    {"images", cost.images},
        {"jobs", shares.jobs},    {"memory", cost.memory},
        {"disk", cost.disk},      {"seconds", std::isnan(time.seconds) ? Json(nullptr) : Json(time.seconds)}};
    fmt::print("{}\n", document.dump(2));
    return;
  }
  const auto mark = [&](const std::string& id) {
    const auto in = [&](const std::vector<std::string>& list) {
      return std::find(list.begin(), list.end(), id) != list.end();
    };
    return !in(runs) ? "left out" : in(state.reused) ? "done" : in(state.failed) ? "failed" : "to do";
  };
  for (const Json& cell : plan.at("cells")) {
    fmt::print("{}\n", cell.at("cell").get<std::string>());
    for (const Json& chain : cell.at("chains")) {
      std::vector<std::string> parts;
      for (const Json& member : chain.at("runs"))
        parts.push_back(fmt::format("{} {} ({})", member["stage"].get<std::string>(), member["id"].get<std::string>(),
                                    mark(member["id"])));
      fmt::print("  seed {}: {}\n", chain.at("seed").dump(), join(parts, " -> "));
    }
  }
  fmt::print("\n{} x {}: {} after sharing {}\n", counted(plan.at("cells").size(), "cell"),
             counted(plan.at("seeds").size(), "seed"), counted(plan.at("runs").size(), "run"),
             counted(members_of(plan), "stage"));
  fmt::print("{}\n{} steps, {} images; {} with {} each\n", runs_text(plan, state), count_text(cost.steps),
             count_text(cost.images), counted(static_cast<size_t>(shares.jobs), "worker"),
             counted(static_cast<size_t>(shares.threads), "thread"));
  if (state.todo.empty()) return;
  fmt::print("time: {}; disk: {}; memory: up to {} a worker\n", time.text(duration_text(time.seconds)),
             bytes_text(cost.disk), bytes_text(cost.memory));
}

int finish(const Json& plan, const SweepOutcome& outcome, const CommonOptions& common) {
  const std::string name = plan.at("name");
  if (common.json)
    fmt::print("{}\n", Json({{"sweep", name},
                             {"revision", plan["revision"]},
                             {"done", outcome.done},
                             {"reused", outcome.reused},
                             {"failed", outcome.failed},
                             {"blocked", outcome.blocked},
                             {"left", outcome.left},
                             {"interrupted", outcome.interrupted}})
                           .dump());
  else
    fmt::print("sweep {}: {} done, {} reused, {} failed, {} not runnable, {} left\n", name, outcome.done.size(),
               outcome.reused.size(), outcome.failed.size(), outcome.blocked.size(), outcome.left.size());
  std::fflush(stdout);
  for (const std::string& run : outcome.failed)
    say(common.quiet, fmt::format("failed: {}  {}", run, run_title(plan, run)));
  if (!outcome.failed.empty()) say(common.quiet, "once the cause is gone: " + common.command_line + " --retry-failed");
  if (outcome.interrupted) {
    say(common.quiet, "stopped and saved; go on with: " + common.command_line);
    return static_cast<int>(Code::interrupted);
  }
  if (!outcome.failed.empty() || !outcome.blocked.empty() || !outcome.left.empty()) {
    if (!outcome.failed.empty()) hint(common, fmt::format("simmim log {} --why", outcome.failed[0]));
    return static_cast<int>(Code::some_failed);
  }
  hint(common, "simmim table " + name);
  return 0;
}

int run(const Options& options, const CommonOptions& common) {
  const ConfigWords words = split_words(options.words);
  if (words.plain.size() != 1) fail(Code::usage, "sweep: give one sweep file, then key=value; see simmim sweep --help");
  if (options.executor != "local")
    fail(Code::usage, "--executor: this version runs sweeps on this machine only (local)");
  SweepFile sweep = read_sweep(find_sweep(words.plain[0]));
  if (!options.resources.empty()) sweep.resources.update(read_json_file(options.resources));
  const Shares shares = divide_cores(options, sweep, common.out);
  PlanOptions plan_options{.overrides = read_overrides(words.overrides), .threads = shares.threads};
  if (options.seeds) plan_options.seeds = read_seeds(*options.seeds, "--seeds");
  set_engine_threads(shares.threads);
  Json plan = make_plan(sweep, plan_options,
                        [&](const auto& requests) { return resolve_all(requests, options.dry_run, common); });
  const std::vector<std::string> runs = select_runs(plan, options.only);
  if (options.dry_run) {
    print_dry_run(plan, runs, shares, common);
    hint(common, "the same command without --dry-run");
    return 0;
  }
  const FrozenPlan frozen = freeze_plan(std::move(plan), common.out);
  const PlanState state = plan_state(common.out, runs);
  say(common.quiet, fmt::format("sweep {} (plan {}): {}; {} with {} each", sweep.name, frozen.plan["revision"].dump(),
                                runs_text(frozen.plan, state), counted(static_cast<size_t>(shares.jobs), "worker"),
                                counted(static_cast<size_t>(shares.threads), "thread")));
  if (const std::string trouble = ingest_plan(common.database(), frozen.file); !trouble.empty()) warn(trouble);
  LocalOptions local{.out = common.out,
                     .database = common.database(),
                     .plan_file = frozen.file,
                     .worker = {program_path().string(), "worker"},
                     .selected = runs,
                     .jobs = shares.jobs,
                     .retry_failed = options.retry_failed,
                     .max_failures = options.max_failures,
                     .interrupts = interrupts};
  catch_signals();
  SweepDisplay display(frozen.plan, runs, state.reused, common.quiet);
  const SweepOutcome outcome = run_local(frozen.plan, local, display);
  display.finish();
  return finish(frozen.plan, outcome, common);
}

}  // namespace

Command sweep_command() {
  return {"sweep", "Train", "run a grid of configurations with seeds; the same command again finishes what is missing",
          [](Args& args) {
            auto options = std::make_shared<Options>();
            args.example("simmim sweep demo --dry-run");
            args.example("simmim sweep sweeps/demo.json --jobs 2");
            args.positional("FILE|key=value", options->words,
                            "a sweep (path or name), and leaves that hold for every cell");
            args.flag("-n,--dry-run", options->dry_run, "show cells, runs, steps and time; run nothing");
            args.option("-j,--jobs", "N", options->jobs, "workers at a time; the cores are divided among them");
            args.option("--threads", "N", options->threads, "threads a run (kept in the plan once it is made)");
            args.option("--executor", "WHERE", options->executor, "where the runs happen", {"local", "slurm"});
            args.option("--resources", "FILE", options->resources, "resources instead of the file's");
            args.option("--seeds", "N", options->seeds, "this many seeds instead of the file's");
            args.flag("--retry-failed", options->retry_failed, "run failed runs again");
            args.option("--max-failures", "N", options->max_failures, "start nothing new after N failed runs");
            args.option("--only", "EXPR", options->only, "only the cells with, for example, 'mask.ratio=0.6 seed<2'");
            return [options, common = args.shared_common()] { return run(*options, *common); };
          }};
}

}  // namespace simmim
