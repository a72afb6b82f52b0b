#include "cli/sweep_slurm.h"

#include <cstdio>
#include <set>

#include "cli/terminal.h"
#include "core/error.h"
#include "core/names.h"
#include "core/recipes.h"
#include "runs/ingest.h"
#include "runs/run_folder.h"
#include "sweep/run_state.h"
#include "sweep/slurm_queue.h"

namespace simmim {
namespace {

// How the runs stand before anything is submitted. blocked: the parent failed, Slurm cancels or never got them.
struct Standing {
  std::vector<std::string> todo, queued, done, failed, blocked;
};

Standing standing_of(const SlurmSweep& sweep, const std::map<std::string, SlurmElement>& queued, const fs::path& out) {
  Standing standing;
  std::set<std::string> given_up;
  for (const std::string& run : sweep.runs) {  // parents first, so one pass reaches grandchildren
    const RunState state = state_before(out, run);
    const bool is_failed = !sweep.retry_failed && (state == RunState::failed || state == RunState::stopped);
    const bool is_blocked = given_up.contains(parent_of(sweep.frozen.plan, run));
    std::vector<std::string>& list = state == RunState::done ? standing.done
                                     : queued.contains(run)  ? standing.queued
                                     : is_failed             ? standing.failed
                                     : is_blocked            ? standing.blocked
                                                             : standing.todo;
    list.push_back(run);
    if (&list == &standing.failed || &list == &standing.blocked) given_up.insert(run);
  }
  return standing;
}

Json jobs_json(const std::vector<SubmittedArray>& submitted) {
  Json jobs = Json::array();
  for (const auto& [array, job] : submitted) {
    Json runs = Json::array();
    for (const auto& [index, run] : array.rows) runs.push_back(run);
    jobs.push_back({{"array", array.name}, {"job", job}, {"runs", runs}, {"after", array.after}});
  }
  return jobs;
}

void print_scripts(const SlurmSweep& sweep, const std::vector<SlurmArray>& arrays,
                   const std::function<std::string(const SlurmArray&)>& script, const CommonOptions& common) {
  Json list = Json::array();
  for (const SlurmArray& array : arrays) {
    const std::string after = slurm_dependency(array, {});
    if (common.json) {
      list.push_back(
          {{"array", array.name}, {"dependency", after}, {"rows", slurm_rows(array)}, {"script", script(array)}});
      continue;
    }
    fmt::print("# sbatch --parsable {}{}.sh\n{}", after.empty() ? "" : "--dependency=" + after + " ", array.name,
               script(array));
    for (const auto& [index, run] : array.rows)
      fmt::print("# {}: {}  {}\n", index, run, run_title(sweep.frozen.plan, run));
    fmt::print("\n");
  }
  if (common.json) fmt::print("{}\n", Json({{"sweep", sweep.frozen.plan.at("name")}, {"arrays", list}}).dump(2));
}

}  // namespace

int sweep_on_slurm(const SlurmSweep& sweep, const CommonOptions& common) {
  const Json& plan = sweep.frozen.plan;
  const std::string name = plan.at("name");
  if (plan.contains("stop_if")) warn("stop_if: holds on this machine only; under Slurm every run goes to its end");
  const fs::path out = fs::absolute(common.out), submissions = submissions_folder(out, name);
  std::optional<FileLock> lock;  // two commands at once must not submit the same runs
  if (!sweep.dry_run) {
    make_folder(submissions);
    lock = FileLock::wait_lock(submissions / "lock");
  }
  const auto queued = queued_runs(submissions);
  const Standing standing = standing_of(sweep, queued, out);
  const SlurmPlace place{.folder = next_submission(submissions),
                         .plan_file = fs::absolute(sweep.frozen.file),
                         .out = out,
                         .database = fs::absolute(common.database()),
                         .program = program_path(),
                         .start_folder = fs::current_path(),
                         .at_once = sweep.at_once};
  const auto script = [&](const SlurmArray& array) { return slurm_script(plan, array, sweep.resources, place); };
  std::vector<SlurmArray> arrays;
  if (!standing.todo.empty()) arrays = slurm_arrays(plan, standing.todo, queued, max_array_size());
  if (sweep.dry_run) {
    print_scripts(sweep, arrays, script, common);
    std::fflush(stdout);
    say(common.quiet,
        fmt::format("sweep {}: {} runs to submit in {} arrays, {} in the queue, {} done, {} failed, {} not runnable",
                    name, standing.todo.size(), arrays.size(), standing.queued.size(), standing.done.size(),
                    standing.failed.size(), standing.blocked.size()));
    hint(common, "the same command without --dry-run");
    return 0;
  }
  std::vector<SubmittedArray> submitted;
  if (!arrays.empty()) submitted = submit_arrays(arrays, place.folder, script);
  if (const std::string trouble = ingest_plan(common.database(), sweep.frozen.file); !trouble.empty()) warn(trouble);
  if (common.json) {
    fmt::print("{}\n", Json({{"sweep", name},
                             {"revision", plan.at("revision")},
                             {"jobs", jobs_json(submitted)},
                             {"submitted", standing.todo},
                             {"queued", standing.queued},
                             {"done", standing.done},
                             {"failed", standing.failed},
                             {"blocked", standing.blocked}})
                           .dump());
  } else {
    for (const auto& [array, job] : submitted) fmt::print("job {}: {}, {} runs\n", job, array.name, array.rows.size());
    fmt::print("sweep {}: {} submitted, {} in the queue already, {} done, {} failed, {} not runnable\n", name,
               standing.todo.size(), standing.queued.size(), standing.done.size(), standing.failed.size(),
               standing.blocked.size());
  }
  std::fflush(stdout);
  for (const std::string& run : standing.failed)
    say(common.quiet, fmt::format("failed: {}  {}", run, run_title(plan, run)));
  for (const std::string& run : standing.blocked)
    say(common.quiet, fmt::format("cancelled, its parent failed: {}  {}", run, run_title(plan, run)));
  if (!standing.failed.empty()) {
    say(common.quiet, "once the cause is gone: " + common.command_line + " --retry-failed");
    hint(common, fmt::format("simmim log {} --why", standing.failed[0]));
    return static_cast<int>(Code::some_failed);
  }
  const bool all_done = standing.todo.empty() && standing.queued.empty();
  hint(common, (all_done ? "simmim table " : "simmim status ") + name);
  return 0;
}

}  // namespace simmim
