#include "sweep/local.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <set>

#include "core/error.h"
#include "runs/ingest.h"
#include "runs/run_folder.h"
#include "sweep/plan.h"
#include "sweep/stop_rule.h"
#include "sweep/worker_process.h"

namespace simmim {
namespace {

using State = RunState;

constexpr double kLongestTick = 5;  // seconds that count as silence at a time: a suspended sweep accuses nobody

class Scheduler {
 public:
  Scheduler(const Json& plan, const LocalOptions& options, SweepObserver& observer)
      : plan_(plan),
        options_(options),
        observer_(observer),
        slots_(static_cast<size_t>(options.jobs)),
        stop_rule_(plan, options.out) {
    for (const std::string& run : options.selected) {
      State state = state_before(options.out, run);
      if (state == State::done) outcome_.reused.push_back(run);
      if ((state == State::failed || state == State::stopped) && options.retry_failed) {
        if (state == State::stopped) kept_.insert(run);
        state = State::todo;
      }
      states_[run] = state;
    }
  }

  SweepOutcome work() {
    for (;;) {
      obey_signals();
      keep_time();
      block_children();
      if (!stopping_) start_ready();
      const bool waiting = !stopping_ && std::any_of(states_.begin(), states_.end(),
                                                     [](const auto& item) { return item.second == State::held; });
      if (!any_running() && !waiting) break;
      wait_for_news();
      if (waiting) look_at_held();
      observer_.tick();
    }
    for (const std::string& run : options_.selected) {
      const State state = states_[run];
      if (state == State::failed) outcome_.failed.push_back(run);
      if (state == State::stopped) outcome_.stopped.push_back(run);
      if (state == State::blocked) outcome_.blocked.push_back(run);
      if (state == State::todo || state == State::held) outcome_.left.push_back(run);
    }
    outcome_.out_of_time = outcome_.out_of_time && !outcome_.left.empty();
    return outcome_;
  }

 private:
  struct Slot {
    std::unique_ptr<WorkerProcess> process;
    std::string run, last_error;
    std::string stop;     // why the sweep gives it up; empty: it does not
    double silent = 0;    // seconds
    uintmax_t bytes = 0;  // of its journal and log when it was last silent
  };

  bool any_running() const {
    return std::any_of(slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.process != nullptr; });
  }

  void obey_signals() {
    const int count = options_.interrupts();
    if (count == 0) return;
    if (!outcome_.interrupted)
      for (const Slot& slot : slots_)
        if (slot.process)
          slot.process->signal(SIGTERM);  // Ctrl-C reached them already; TERM to a stopping worker is no second one
    if (count > 1)
      for (const Slot& slot : slots_)
        if (slot.process) slot.process->signal(SIGKILL);
    stopping_ = outcome_.interrupted = true;
  }

  // The end of the budget, and workers that hang.
  void keep_time() {
    const double now = options_.clock(), passed = std::min(now - last_tick_, kLongestTick);
    last_tick_ = now;
    if (now >= options_.deadline && !stopping_) {
      stopping_ = outcome_.out_of_time = true;
      for (const Slot& slot : slots_)
        if (slot.process) slot.process->signal(SIGTERM);
    }
    for (Slot& slot : slots_) {
      if (!slot.process || (slot.silent += passed) < options_.silence) continue;
      slot.silent = 0;
      if (const uintmax_t bytes = bytes_written(options_.out, slot.run); bytes != slot.bytes)
        slot.bytes = bytes;
      else
        slot.last_error = fmt::format("no sign of life for {:.3g} min", options_.silence / 60),
        slot.process->signal(SIGKILL);
    }
  }

  // Whether a run can be over before the deadline; one of unknown length is given the chance.
  bool fits(const std::string& run) const {
    if (options_.deadline == kNever || !options_.seconds_left) return true;
    return !(options_.clock() + options_.seconds_left(run) > options_.deadline);
  }

  void block_children() {
    for (const std::string& run : options_.selected) {  // parents first, so one pass reaches grandchildren
      const std::string parent = parent_of(plan_, run);
      if (states_[run] != State::todo || parent.empty() || !states_.contains(parent)) continue;
      const State theirs = states_[parent];
      if (theirs == State::failed || theirs == State::stopped || theirs == State::blocked)
        states_[run] = State::blocked;
    }
  }

  void start_ready() {
    for (size_t slot = 0; slot < slots_.size(); ++slot) {
      if (slots_[slot].process) continue;
      const std::string run = next_ready();
      if (run.empty()) return;
      start(static_cast<int>(slot), run);
    }
  }

  // The first run whose parent is done; "" if there is none. Another sweep may have taken one up, or finished it.
  std::string next_ready() {
    for (const std::string& run : options_.selected) {
      const std::string parent = parent_of(plan_, run);
      if (states_[run] != State::todo) continue;
      if (!parent.empty() && states_.contains(parent) && states_[parent] != State::done) continue;
      const State now = stored_state(options_.out, run);
      if (now != State::done && now != State::held) {
        if (fits(run)) return run;
        outcome_.out_of_time = true;
        continue;
      }
      states_[run] = now;
      if (now == State::done) outcome_.reused.push_back(run);
    }
    return "";
  }

  void start(int slot, const std::string& run) {
    states_[run] = State::running;
    ++starts_[run];
    make_folder(run_path(options_.out, run));
    std::vector<std::string> command = options_.worker;
    for (const std::string& word : {std::string("--plan"), options_.plan_file.string(), std::string("--run"), run,
                                    std::string("--out"), options_.out.string(), std::string("--db"),
                                    options_.database.string(), std::string("--parent"), std::to_string(getpid())})
      command.push_back(word);
    std::map<std::string, std::string> environment;
    if (!options_.gpus.empty())
      environment["CUDA_VISIBLE_DEVICES"] = options_.gpus[static_cast<size_t>(slot) % options_.gpus.size()];
    // With fewer runs left than workers, cores lie idle that nobody should be kept from.
    const auto is_left = [](const auto& item) { return item.second == State::todo || item.second == State::running; };
    std::vector<int> cores;
    if (std::count_if(states_.begin(), states_.end(), is_left) >= options_.jobs)
      cores = cores_of_worker(slot, options_.jobs, options_.threads);
    slots_[static_cast<size_t>(slot)] = {.process = std::make_unique<WorkerProcess>(
                                             command, run_path(options_.out, run) / "log.txt", environment, cores),
                                         .run = run,
                                         .bytes = bytes_written(options_.out, run)};
    observer_.started(slot, run);
  }

  void wait_for_news() {
    std::vector<pollfd> pipes;
    for (const Slot& slot : slots_)
      if (slot.process) pipes.push_back({slot.process->descriptor(), POLLIN, 0});
    poll(pipes.data(), pipes.size(), 200);
    for (size_t i = 0; i < slots_.size(); ++i) {
      Slot& slot = slots_[i];
      if (!slot.process) continue;
      const std::optional<int> status = slot.process->ended();  // asked first, so that no last event is missed
      slot.process->read_events([&](const Json& event) {
        slot.silent = 0;
        const std::string kind = event.value("event", "");
        if (kind == "error") slot.last_error = event.value("message", "");
        if (kind == "epoch") give_up_if_hopeless(slot);
        observer_.event(static_cast<int>(i), slot.run, event);
      });
      if (status) finish(static_cast<int>(i), *status);
    }
  }

  // Its worker saves and ends as after Ctrl-C; the record then says why.
  void give_up_if_hopeless(Slot& slot) {
    if (!slot.stop.empty() || stopping_ || kept_.contains(slot.run)) return;
    slot.stop = stop_rule_.reason(slot.run);
    if (!slot.stop.empty()) slot.process->signal(SIGTERM);
  }

  void finish(int index, int status) {
    Slot& slot = slots_[static_cast<size_t>(index)];
    const std::string run = slot.run, stop = slot.stop;
    std::string why = slot.last_error;
    slot = {};
    State state = stored_state(options_.out, run);
    const bool killed = WIFSIGNALED(status);
    const int code = killed ? static_cast<int>(Code::run_failed) : WEXITSTATUS(status);
    const bool again = killed || code == static_cast<int>(Code::interrupted);
    if (state == State::todo && !killed && again && !stop.empty()) {
      record_stop(options_.out, run, why = stop);
      state = State::stopped;
    }
    if (killed && why.empty())
      why = fmt::format("its process was ended by signal {}{}", WTERMSIG(status),
                        WTERMSIG(status) == SIGKILL ? " (by hand, or out of memory)" : "");
    if (state == State::todo && !stopping_ && again && starts_[run] < options_.starts_per_run) {
      states_[run] = State::todo;
      observer_.ended(index, run, "lost", why.empty() ? "it was interrupted" : why);
      return;
    }
    if (state == State::todo && !(again && stopping_)) {
      if (why.empty()) why = fmt::format("its process ended with exit code {} and without a result", code);
      record_failure(options_.out, plan_.at("runs").at(run), code, why);
      state = State::failed;
    }
    states_[run] = state;
    if (state == State::done) outcome_.done.push_back(run);
    if (state == State::failed) {
      if (why.empty()) why = error_text(options_.out, run);
      ++failures_;
      if (!stopping_ && options_.max_failures && failures_ >= *options_.max_failures) {
        observer_.message(fmt::format("{} runs failed: nothing new is started (--max-failures)", failures_));
        stopping_ = true;
      }
    }
    database_warning(ingest_run(options_.database, run_path(options_.out, run)));
    const char* word = state == State::done      ? "done"
                       : state == State::failed  ? "failed"
                       : state == State::stopped ? "stopped"
                       : state == State::held    ? "waits"
                                                 : "interrupted";
    observer_.ended(index, run, word, state == State::done ? "" : why);
  }

  void database_warning(const std::string& warning) {
    if (!warning.empty() && warning != last_warning_) observer_.message("warning: " + warning);
    last_warning_ = warning;
  }

  // Once a second: has the other process come to an end, or lost its lock?
  void look_at_held() {
    const double now = steady_seconds();
    if (now - last_look_ < 1) return;
    last_look_ = now;
    for (auto& [run, state] : states_) {
      if (state != State::held) continue;
      state = stored_state(options_.out, run);
      if (state == State::done) outcome_.reused.push_back(run);
    }
  }

  const Json& plan_;
  const LocalOptions& options_;
  SweepObserver& observer_;
  std::vector<Slot> slots_;
  std::map<std::string, State> states_;
  std::map<std::string, int> starts_;
  SweepOutcome outcome_;
  int64_t failures_ = 0;
  bool stopping_ = false;
  std::string last_warning_;
  StopRule stop_rule_;
  std::set<std::string> kept_;  // stopped before and asked for again: not stopped another time
  double last_look_ = 0, last_tick_ = options_.clock();
};

}  // namespace

SweepOutcome run_local(const Json& plan, const LocalOptions& options, SweepObserver& observer) {
  SIMMIM_CHECK(options.jobs >= 1, "{} jobs", options.jobs);
  return Scheduler(plan, options, observer).work();
}

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace simmim
