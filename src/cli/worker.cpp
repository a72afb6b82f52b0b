// Hidden: one run of a frozen plan. Started by the sweep, events go to descriptor 3 as JSON lines, text to log.txt, and
// it dies with the sweep. Started by Slurm, its place in the array says which run it is; told to save (USR2 before the
// time limit, TERM when another job takes the node), it saves and puts itself back into the queue.
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/engine_client.h"
#include "cli/run_display.h"
#include "core/error.h"
#include "runs/ingest.h"
#include "runs/run_folder.h"
#include "sweep/run_state.h"
#include "sweep/slurm_queue.h"
#include "sweep/worker_process.h"

namespace simmim {
namespace {

struct WorkerOptions {
  std::string plan, run, rows;
  std::optional<int64_t> parent;
};

void send(const Json& event) {
  const std::string line = event.dump() + "\n";
  [[maybe_unused]] const ssize_t written =
      ::write(kEventDescriptor, line.data(), line.size());  // nobody reads: no matter
}

// A worker must not outlive its sweep, not even one that was killed.
void die_with(std::optional<int64_t> parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (parent && getppid() != *parent) _exit(static_cast<int>(Code::interrupted));
}

const Json& entry_of(const Json& plan, const std::string& run, const std::string& file) {
  const auto entry = plan.at("runs").find(run);
  if (entry == plan.at("runs").end()) fail(Code::usage, "worker: {} has no run {}", file, run);
  return *entry;
}

// True if it is done, false if it was interrupted and has saved.
bool run_entry(const Json& plan, const Json& entry, const CommonOptions& common, const EventHandler& on_event) {
  const int threads = plan.value("threads", 1);
  set_engine_threads(threads);
  const Json answer = engine_call({{"command", "run"},
                                   {"stage", entry},
                                   {"out", common.out},
                                   {"db", common.database().string()},
                                   {"threads", threads},
                                   {"fresh", false}},
                                  on_event);
  const std::string state = answer.value("state", "");
  if (state == "done") return true;
  if (state == "interrupted") return false;
  fail(Code::run_failed, "{}", answer.value("error", "the run ended as " + state));
}

int run_for_sweep(const WorkerOptions& options, const CommonOptions& common) {
  die_with(options.parent);
  try {
    const Json plan = read_json_file(options.plan);
    const bool done = run_entry(plan, entry_of(plan, options.run, options.plan), common, send);
    return static_cast<int>(done ? Code::ok : Code::interrupted);
  } catch (const Error& error) {
    if (error.code() != Code::interrupted) send({{"event", "error"}, {"message", error.what()}});
    throw;
  }
}

// As a run of a local sweep: what it prints stands in its log.txt.
void print_to_log(const fs::path& run_folder) {
  make_folder(run_folder);
  const int log = open((run_folder / "log.txt").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (log < 0) return;
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  close(log);
}

// A process that outlived its node's slurmd, or a local sweep, may still be at this run. True once nobody is; false if
// a signal came first.
bool wait_for_run(const fs::path& run_folder) {
  while (is_locked(run_folder / "lock")) {
    if (interrupts() > 0) return false;
    usleep(500'000);
  }
  return interrupts() == 0;
}

int run_under_slurm(const WorkerOptions& options, const CommonOptions& common) {
  catch_signals();
  const auto rows = read_slurm_rows(options.rows);
  const auto row = rows.find(slurm_index());
  if (row == rows.end()) fail(Code::usage, "worker: {} has no row {}", options.rows, slurm_index());
  const Json plan = read_json_file(options.plan);
  const Json& entry = entry_of(plan, row->second, options.plan);
  const fs::path folder = run_path(common.out, row->second);
  print_to_log(folder);
  try {
    if (wait_for_run(folder) && run_entry(plan, entry, common, {})) return 0;
  } catch (const Error& error) {
    if (read_record(folder).value("state", "") != "failed") {
      record_failure(common.out, entry, static_cast<int>(error.code()), error.what());
      if (const std::string trouble = ingest_run(common.database(), folder); !trouble.empty()) warn(trouble);
    }
    throw;
  }
  // Back into the queue first, then out with 0: anything else would be a failure, for which Slurm gives up the runs
  // that follow this one.
  if (const std::string refusal = requeue_this_job(); !refusal.empty())
    fail(Code::interrupted, "saved, but Slurm does not take it back: {}; simmim sweep submits it again", refusal);
  return 0;
}

}  // namespace

Command worker_command() {
  return {"worker", "", "one run of a frozen plan (started by sweep)", [](Args& args) {
            auto options = std::make_shared<WorkerOptions>();
            args.option("--plan", "FILE", options->plan, "the plan");
            args.option("--run", "ID", options->run, "the run");
            args.option("--rows", "FILE", options->rows, "the runs of a Slurm array by index, instead of --run");
            args.option("--parent", "PID", options->parent, "the process to die with");
            return [options, common = args.shared_common()] {
              signal(SIGPIPE, SIG_IGN);
              return options->rows.empty() ? run_for_sweep(*options, *common) : run_under_slurm(*options, *common);
            };
          }};
}

}  // namespace simmim
