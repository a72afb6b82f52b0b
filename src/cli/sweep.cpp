#include <algorithm>
#include <set>

#include "cli/commands.h"
#include "cli/config_request.h"
#include "cli/dry_run.h"
#include "cli/engine_client.h"
#include "cli/resolve_sweep.h"
#include "cli/shares.h"
#include "cli/sweep_help.h"
#include "cli/sweep_local.h"
#include "cli/sweep_slurm.h"
#include "cli/terminal.h"
#include "core/error.h"
#include "core/launch.h"
#include "core/names.h"
#include "core/recipes.h"
#include "core/site.h"
#include "runs/filter.h"
#include "runs/run_folder.h"
#include "sweep/plan.h"
#include "sweep/run_state.h"
#include "sweep/stale.h"
#include "sweep/table_check.h"
#include "sweep/tune.h"

namespace simmim {
namespace {

struct SweepOptions {
  std::vector<std::string> words;
  bool dry_run = false, retry_failed = false, rerun_stale = false;
  std::string executor = "local", resources, only, jobs, hours;
  std::optional<int64_t> threads, seeds, max_failures, hung_after;
};

Json read_resources(const std::string& file) {
  Json resources = read_json_file(file);
  if (!resources.is_object())
    fail(Code::usage, R"({}: got {}; allowed: an object, {{"gpus": 1, "hours": 8}})", file, resources.dump());
  check_resources(resources, file);
  return resources;
}

// A key that no cell has would match none of them.
void check_keys(const std::vector<Condition>& conditions, const Json& plan) {
  std::set<std::string> known = {"seed", "cell"};
  for (const Json& cell : plan.at("cells"))
    for (const char* part : {"values", "set"})
      for (const auto& [key, value] : cell.at(part).items()) known.insert(key);
  for (const Condition& condition : conditions)
    if (!known.contains(condition.key))
      fail(Code::usage, "--only {}: no cell has this key{}", condition.key,
           unknown_name_hint(condition.key, {known.begin(), known.end()}));
}

// The runs of the cells and seeds that EXPR keeps, parents first. A tuning has seeds of its own, which EXPR does not
// mean.
std::vector<std::string> select_runs(const Json& plan, const std::string& only, bool is_tuning = false) {
  std::vector<Condition> conditions = parse_filter(only);
  if (is_tuning) std::erase_if(conditions, [](const Condition& condition) { return condition.key == "seed"; });
  check_keys(conditions, plan);
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

// One command's sweep: the plans that it runs one after the other, and how.
struct Job {
  const SweepOptions& options;
  const CommonOptions& common;
  std::optional<SlurmResources> slurm;  // set: Slurm's nodes do the work, not this machine
  Shares shares;
  PlanOptions plan;
  double deadline = kNever;  // of steady_seconds

  // Of a sweep that tunes, before it tries anything: which values it will choose makes no difference to its table.
  void check_tuned_table(SweepFile sweep) const {
    assume_first_value(sweep);
    sweep.seeds.resize(1);
    sweep.finetune_seeds.clear();
    check_table(sweep, make_plan(sweep, plan, resolve_sweep(sweep, plan, /*measure=*/false, common)));
  }

  // Resolves the sweep's cells; the first time --jobs auto measures what they ask for.
  Json resolved(const SweepFile& sweep) {
    Json cells = resolve_sweep(sweep, plan, /*measure=*/options.dry_run && !slurm, common);
    if (!options.rerun_stale) keep_stale_runs(cells, common.out);
    if (shares.jobs == 0) measure_shares(shares, cells.at("runs"));
    plan.threads = shares.threads;
    return cells;
  }
};

// Freezes a plan and runs what is missing of it.
std::pair<FrozenPlan, SweepOutcome> execute(Json plan, const std::vector<std::string>& runs, const Job& job) {
  const SweepOptions& options = job.options;
  FrozenPlan frozen = freeze_plan(std::move(plan), job.common.out);
  SweepOutcome outcome = sweep_here({.frozen = frozen,
                                     .runs = runs,
                                     .shares = job.shares,
                                     .deadline = job.deadline,
                                     .hung_after = options.hung_after.value_or(60),
                                     .retry_failed = options.retry_failed,
                                     .longest_first = job.shares.jobs > 1,
                                     .max_failures = options.max_failures},
                                    job.common);
  return {std::move(frozen), std::move(outcome)};
}

int submit(Json plan, const std::vector<std::string>& runs, const Job& job) {
  const bool dry_run = job.options.dry_run;
  const FrozenPlan frozen =
      dry_run ? next_plan(std::move(plan), job.common.out) : freeze_plan(std::move(plan), job.common.out);
  return sweep_on_slurm({.frozen = frozen,
                         .runs = runs,
                         .resources = *job.slurm,
                         .at_once = job.options.jobs.empty() ? 0 : job.shares.jobs,
                         .retry_failed = job.options.retry_failed,
                         .dry_run = dry_run},
                        job.common);
}

// Slurm starts what is in its queue by itself, and a run's hours are the limit of its job.
void refuse_with_slurm(const SweepOptions& options) {
  if (options.max_failures)
    fail(Code::usage, "--max-failures: Slurm starts by itself what is in its queue; leave it out");
  if (!options.hours.empty() || options.hung_after || options.jobs == "auto")
    fail(Code::usage, "{}: for this machine only; leave it out, and give a job's limit as resources.hours",
         !options.hours.empty() ? "--hours"
         : options.hung_after   ? "--hung-after"
                                : "--jobs auto");
}

// What the tuning did not decide: cells that --only left out are for another command, the others have failed.
void report_untuned(const Untuned& untuned, const std::string& tuning, const CommonOptions& common) {
  if (!untuned.untried.empty())
    say(common.quiet,
        fmt::format("{} not tuned yet and left out of this plan (--only)", counted(untuned.untried.size(), "cell")));
  for (const std::string& cell : untuned.failed)
    warn(fmt::format("{}: no value ended well, so it has no final runs; see simmim status {}", cell, tuning));
}

int dry_run(SweepFile sweep, Job job) {
  std::optional<DryRun> tuning;
  bool assumed = false;
  if (sweep.tuning) {
    const SweepFile trial = tuning_sweep(sweep, job.plan);
    Json tried = job.resolved(trial);
    job.check_tuned_table(sweep);
    SweepFile tuned = sweep;
    const Untuned untuned = apply_tuning(tuned, tried, job.common.out);
    assumed = !untuned.untried.empty();
    if (assumed)
      assume_first_value(sweep);
    else
      sweep = std::move(tuned);
    Json plan = make_plan(trial, job.plan, std::move(tried));
    std::vector<std::string> runs = select_runs(plan, job.options.only, /*is_tuning=*/true);
    tuning = DryRun{std::move(plan), std::move(runs), sweep.cases, job.options.retry_failed};
  }
  Json plan = make_plan(sweep, job.plan, job.resolved(sweep));
  if (!sweep.tuning) check_table(sweep, plan);
  std::vector<std::string> runs = select_runs(plan, job.options.only);
  print_dry_run({std::move(plan), std::move(runs), sweep.cases, job.options.retry_failed, assumed}, tuning, job.shares,
                job.common);
  hint(job.common, "the same command without --dry-run");
  return 0;
}

int run_sweep(const SweepOptions& options, const CommonOptions& common) {
  check_alone(this_launch(), "sweep");
  const ConfigWords words = split_words(options.words);
  if (words.plain.size() != 1) fail(Code::usage, "sweep: give one sweep file, then key=value; see simmim sweep --help");
  if (options.executor == "slurm") refuse_with_slurm(options);
  SweepFile sweep = read_sweep(find_sweep(words.plain[0]));
  if (!options.resources.empty()) sweep.resources.update(read_resources(options.resources));
  std::optional<SlurmResources> slurm;
  if (options.executor == "slurm") slurm = read_slurm_resources(read_site().slurm, sweep.resources);
  Job job{options, common, slurm, divide_machine(options.jobs, options.threads, slurm, sweep, common.out), {}};
  if (!slurm) job.deadline = deadline_of(options.hours, sweep);
  job.plan = {.overrides = read_overrides(words.overrides), .threads = job.shares.threads};
  if (options.seeds) sweep.seeds = read_seeds(*options.seeds, "--seeds");
  set_engine_threads(job.shares.threads);
  if (options.dry_run && !slurm) return dry_run(std::move(sweep), std::move(job));
  Untuned untuned;
  if (sweep.tuning) {
    const SweepFile trial = tuning_sweep(sweep, job.plan);
    const Json tried = job.resolved(trial);
    job.check_tuned_table(sweep);
    Json plan = make_plan(trial, job.plan, tried);
    const std::vector<std::string> runs = select_runs(plan, options.only, /*is_tuning=*/true);
    if (slurm && !plan_state(plan, runs, common.out, options.retry_failed).todo.empty()) {
      const int code = submit(std::move(plan), runs, job);
      say(common.quiet, "once these have ended, the same command submits the runs with the values that did best");
      return code;
    }
    if (!slurm) {
      const auto [frozen, outcome] = execute(std::move(plan), runs, job);
      if (outcome.interrupted || !outcome.left.empty()) return report_outcome(frozen.plan, outcome, common);
    }
    untuned = apply_tuning(sweep, tried, common.out);
    report_untuned(untuned, trial.name, common);
    if (sweep.cells.empty()) return static_cast<int>(Code::some_failed);
  }
  Json plan = make_plan(sweep, job.plan, job.resolved(sweep));
  if (!sweep.tuning) check_table(sweep, plan);  // else done, before it left cells out
  const std::vector<std::string> runs = select_runs(plan, options.only);
  if (slurm) return submit(std::move(plan), runs, job);
  const auto [frozen, outcome] = execute(std::move(plan), runs, job);
  const int code = report_outcome(frozen.plan, outcome, common);
  return code == 0 && !untuned.failed.empty() ? static_cast<int>(Code::some_failed) : code;
}

}  // namespace

Command sweep_command() {
  return {
      "sweep", "Train", "run a grid of configurations with seeds; the same command again finishes what is missing",
      [](Args& args) {
        auto options = std::make_shared<SweepOptions>();
        args.example("simmim sweep demo --dry-run");
        args.example("simmim sweep sweeps/demo.json --jobs 2");
        args.positional("FILE|key=value", options->words,
                        "a sweep (path or name), and leaves that hold for every cell");
        args.flag("-n,--dry-run", options->dry_run, "show cells, runs, steps and time; run nothing");
        args.option("-j,--jobs", "N|auto", options->jobs,
                    "workers at a time; the cores are divided among them (auto: as measured; Slurm: jobs of an array)");
        args.option("--threads", "N", options->threads, "threads a run (kept in the plan once it is made)", 1);
        args.option("--executor", "WHERE", options->executor, "where the runs happen", {"local", "slurm"});
        args.option("--resources", "FILE", options->resources, "resources above the file's: a JSON object");
        args.option("--seeds", "N", options->seeds, "this many seeds instead of the file's", 1);
        args.flag("--retry-failed", options->retry_failed, "run failed runs again");
        args.flag("--rerun-stale", options->rerun_stale, "run again what was made before a result version was raised");
        args.option("--max-failures", "N", options->max_failures, "start nothing new after N failed runs");
        args.option("--hours", "H", options->hours, "start nothing that takes longer; then save and stop (exit 4)");
        args.option("--hung-after", "MINUTES", options->hung_after,
                    "end a worker that gives no sign of life and take its run up again (60; 0: never)");
        args.option("--only", "EXPR", options->only, "only the cells with, for example, 'mask.ratio=0.6 seed<2'");
        args.manual(sweep_file_text);
        return [options, common = args.shared_common()] { return run_sweep(*options, *common); };
      }};
}

}  // namespace simmim
