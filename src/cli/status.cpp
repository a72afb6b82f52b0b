#include "runs/status.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>

#include "cli/commands.h"
#include "cli/go_on.h"
#include "cli/terminal.h"
#include "cli/watch.h"
#include "core/names.h"
#include "runs/database.h"
#include "runs/ingest.h"
#include "runs/run_folder.h"
#include "sweep/slurm_queue.h"

namespace simmim {
namespace {

std::string run_line(const RunStatus& run) {
  std::string line = fmt::format("  {:<11} {}  {} {}, seed {}", run.state, run.run, run.kind, run.cell, run.seed);
  if (run.state == "running" && run.epochs > 0) {
    line += fmt::format("  epoch {:.1f}/{}", run.epoch, number_text(run.epochs));
    if (run.epoch > 0)
      line += fmt::format(", {} left", duration_text(run.seconds / run.epoch * (run.epochs - run.epoch)));
  }
  if (!run.error.empty()) line += ": " + run.error.substr(0, run.error.find('\n'));
  return line;
}

// Runs of a sweep that wait in Slurm's queue or run there; nothing for a sweep that was never submitted or is done. A
// watcher asks Slurm six times a minute.
class SlurmCounts {
 public:
  explicit SlurmCounts(fs::path out) : out_(std::move(out)) {}
  void look(const std::vector<SweepStatus>& sweeps) {
    constexpr std::chrono::seconds kPause(10);
    const auto now = std::chrono::steady_clock::now();
    if (last_ != std::chrono::steady_clock::time_point() && now - last_ < kPause) return;
    last_ = now;
    counts_.clear();
    for (const SweepStatus& sweep : sweeps) {
      const auto done = sweep.states.find("done");
      if (done != sweep.states.end() && done->second == sweep.planned) continue;
      if (const fs::path folder = submissions_folder(out_, sweep.name); fs::exists(folder)) try {
          counts_[sweep.name] = queued_runs(folder).size();
        } catch (const Error& error) {
          warn(error.what());
        }
    }
  }
  const std::map<std::string, size_t>& counts() const { return counts_; }

 private:
  fs::path out_;
  std::chrono::steady_clock::time_point last_;
  std::map<std::string, size_t> counts_;
};

struct Current {
  Status status;
  std::map<std::string, size_t> queued;  // sweep -> SlurmCounts
};

Current current_status(const std::string& sweep, const CommonOptions& common, SlurmCounts& slurm) {
  const fs::path file = common.database();
  if (fs::is_directory(common.out))
    if (const std::string trouble = ingest_changes(file, common.out); !trouble.empty()) warn(trouble);
  const Sqlite database = open_for_reading(file, common.out);
  Current current{read_status(database, sweep, common.out), {}};
  slurm.look(current.status.sweeps);
  current.queued = slurm.counts();
  return current;
}

std::string status_text(const Current& current) {
  const Status& status = current.status;
  std::string text;
  for (const SweepStatus& sweep : status.sweeps) {
    std::vector<std::string> counts;
    for (const auto& [state, runs] : sweep.states)
      if (runs > 0) counts.push_back(fmt::format("{} {}", runs, state));
    text += fmt::format("{}: {} of {} runs", sweep.name, join(counts, ", "), sweep.planned);
    if (const auto queued = current.queued.find(sweep.name); queued != current.queued.end())
      text += fmt::format(", {} in Slurm's queue", queued->second);
    if (sweep.seconds_left && *sweep.seconds_left > 0)
      text += fmt::format(", about {} left", duration_text(*sweep.seconds_left));
    text += "\n";
    for (const auto* list : {&sweep.running, &sweep.failed})
      for (const RunStatus& run : *list) text += run_line(run) + "\n";
  }
  std::vector<std::string> others;
  for (const auto& [state, runs] : status.other_states) others.push_back(fmt::format("{} {}", runs, state));
  if (!others.empty()) text += fmt::format("runs of no sweep: {}\n", join(others, ", "));
  for (const RunStatus& run : status.running) text += run_line(run) + "\n";
  return text.empty() ? "nothing has been run yet\n" : text;
}

bool is_anything_running(const Current& current) {
  for (const SweepStatus& sweep : current.status.sweeps)
    if (!sweep.running.empty()) return true;
  for (const auto& [sweep, queued] : current.queued)
    if (queued > 0) return true;
  return !current.status.running.empty();
}

bool is_anything_waiting(const Status& status) {
  for (const SweepStatus& sweep : status.sweeps)
    for (const char* state : {"waiting", "interrupted", "lost"})
      if (sweep.states.contains(state)) return true;
  return false;
}

// What failed first, then what nobody is at work on, then what can be looked at.
std::string next_command(const Current& current, const fs::path& out) {
  const Status& status = current.status;
  const auto is_queued = [&](const std::string& sweep) {
    const auto found = current.queued.find(sweep);
    return found != current.queued.end() && found->second > 0;
  };
  for (const SweepStatus& sweep : status.sweeps)
    for (const RunStatus& run : sweep.failed)
      if (run.state == "failed") return fmt::format("simmim log {} --why", run.run);
  for (const SweepStatus& sweep : status.sweeps)
    for (const char* state : {"lost", "interrupted", "waiting"})
      if (sweep.running.empty() && !is_queued(sweep.name) && sweep.states.contains(state))
        if (const auto plan = read_plan(out, sweep.name)) return go_on_with_sweep(out, *plan);
  for (const char* state : {"lost", "interrupted"})
    if (status.other_states.contains(state)) return fmt::format("simmim runs state={}", state);
  for (const SweepStatus& sweep : status.sweeps)
    if (sweep.states.contains("done")) return "simmim table " + sweep.name;
  return status.other_states.empty() ? "simmim sweep demo --dry-run" : "simmim runs";
}

int run_status(const std::string& sweep, bool watch, const CommonOptions& common) {
  SlurmCounts slurm(common.out);
  Current current = current_status(sweep, common, slurm);
  const auto text_of = [&](int indent) {
    if (!common.json) return status_text(current);
    Json json = status_json(current.status);
    for (Json& one : json.at("sweeps"))
      if (const auto queued = current.queued.find(one.at("sweep")); queued != current.queued.end())
        one["queued"] = queued->second;
    return json.dump(indent) + "\n";
  };
  if (!watch) {
    const std::string text = text_of(2);
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
    hint(common, next_command(current, common.out));
    return 0;
  }
  simmim::watch([&] {
    current = current_status(sweep, common, slurm);
    return Look{text_of(-1), is_anything_running(current), is_anything_waiting(current.status)};
  });
  hint(common, next_command(current, common.out));
  return 0;
}

}  // namespace

Command status_command() {
  return {"status", "Look", "what is done, running, failed, waiting, and the time left", [](Args& args) {
            struct Options {
              std::string sweep;
              bool watch = false;
            };
            auto options = std::make_shared<Options>();
            args.example("simmim status demo --watch");
            args.positional("SWEEP", options->sweep, "one sweep; without it all of them");
            args.flag("--watch", options->watch, "look again every second until nothing runs");
            return [options, common = args.shared_common()] {
              return run_status(options->sweep, options->watch, *common);
            };
          }};
}

}  // namespace simmim
