#include "sweep/local.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>

#include "core/error.h"
#include "runs/ingest.h"
#include "runs/run_folder.h"
#include "sweep/plan.h"
#include "sweep/worker_process.h"

namespace simmim {
namespace {

enum class State { todo, held, running, done, failed, blocked };  // held: another process runs it

State stored_state(const fs::path& out, const std::string& run) {
  const fs::path folder = run_path(out, run);
  const std::string state = effective_state(folder, read_record(folder));
  if (state == "done") return State::done;
  if (is_locked(folder / "lock")) return State::held;
  return state == "failed" || state == "stopped" ? State::failed : State::todo;
}

// What the next command looks at: a run that failed for want of data or disk space (Code::data) is tried again, since
// the reason lay outside it.
State state_before(const fs::path& out, const std::string& run) {
  const State state = stored_state(out, run);
  if (state != State::failed) return state;
  const Json attempts = read_record(run_path(out, run)).value("attempts", Json::array());
  const bool outside = !attempts.empty() && attempts.back().value("exit_code", Json()) == static_cast<int>(Code::data);
  return outside ? State::todo : state;
}

// A worker that died before it could write its own end (no engine, no memory): the record says so for it.
void record_failure(const fs::path& out, const Json& entry, int exit_code, const std::string& why) {
  auto folder = RunFolder::claim(out, entry.at("id"));
  if (!folder) return;
  const Json attempts = folder->record().value("attempts", Json::array());
  if (attempts.empty() || attempts.back().value("state", "") != "running")
    folder->begin_attempt(entry.at("kind"),
                          entry.contains("parent") && entry["parent"].is_string() ? entry["parent"] : "",
                          entry.contains("config") ? entry["config"].value("seed", int64_t{0}) : 0, Json::object());
  folder->end_attempt("failed", exit_code, why);
}

class Scheduler {
 public:
  Scheduler(const Json& plan, const LocalOptions& options, SweepObserver& observer)
      : plan_(plan), options_(options), observer_(observer), slots_(static_cast<size_t>(options.jobs)) {
    for (const std::string& run : options.selected) {
      State state = state_before(options.out, run);
      if (state == State::done) outcome_.reused.push_back(run);
      if (state == State::failed && options.retry_failed) state = State::todo;
      states_[run] = state;
    }
  }

  SweepOutcome work() {
    for (;;) {
      obey_signals();
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
      if (state == State::blocked) outcome_.blocked.push_back(run);
      if (state == State::todo || state == State::held) outcome_.left.push_back(run);
    }
    return outcome_;
  }

 private:
  struct Slot {
    std::unique_ptr<WorkerProcess> process;
    std::string run, last_error;
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

  void block_children() {
    for (const std::string& run : options_.selected) {  // parents first, so one pass reaches grandchildren
      const std::string parent = parent_of(plan_, run);
      if (states_[run] != State::todo || parent.empty() || !states_.contains(parent)) continue;
      if (states_[parent] == State::failed || states_[parent] == State::blocked) states_[run] = State::blocked;
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
      if (now != State::done && now != State::held) return run;
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
    slots_[static_cast<size_t>(slot)] = {
        std::make_unique<WorkerProcess>(command, run_path(options_.out, run) / "log.txt"), run, ""};
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
        if (event.value("event", "") == "error") slot.last_error = event.value("message", "");
        observer_.event(static_cast<int>(i), slot.run, event);
      });
      if (status) finish(static_cast<int>(i), *status);
    }
  }

  void finish(int index, int status) {
    Slot& slot = slots_[static_cast<size_t>(index)];
    const std::string run = slot.run, error = slot.last_error;
    slot = {};
    State state = stored_state(options_.out, run);
    std::string why = error;
    const bool killed = WIFSIGNALED(status);
    const int code = killed ? static_cast<int>(Code::run_failed) : WEXITSTATUS(status);
    const bool again = killed || code == static_cast<int>(Code::interrupted);
    if (killed)
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
      if (why.empty()) why = error_text(run);
      ++failures_;
      if (!stopping_ && options_.max_failures && failures_ >= *options_.max_failures) {
        observer_.message(fmt::format("{} runs failed: nothing new is started (--max-failures)", failures_));
        stopping_ = true;
      }
    }
    database_warning(ingest_run(options_.database, run_path(options_.out, run)));
    const char* word = state == State::done     ? "done"
                       : state == State::failed ? "failed"
                       : state == State::held   ? "waits"
                                                : "interrupted";
    observer_.ended(index, run, word, state == State::done ? "" : why);
  }

  std::string error_text(const std::string& run) const {
    const Json record = read_record(run_path(options_.out, run));
    const auto it = record.find("error");
    return it != record.end() && it->is_string() ? it->get<std::string>() : "see its log.txt";
  }

  void database_warning(const std::string& warning) {
    if (!warning.empty() && warning != last_warning_) observer_.message("warning: " + warning);
    last_warning_ = warning;
  }

  // Once a second: has the other process come to an end, or lost its lock?
  void look_at_held() {
    const auto now = std::chrono::steady_clock::now();
    if (now - last_look_ < std::chrono::seconds(1)) return;
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
  std::chrono::steady_clock::time_point last_look_{};
};

}  // namespace

SweepOutcome run_local(const Json& plan, const LocalOptions& options, SweepObserver& observer) {
  SIMMIM_CHECK(options.jobs >= 1, "{} jobs", options.jobs);
  return Scheduler(plan, options, observer).work();
}

PlanState plan_state(const fs::path& out, const std::vector<std::string>& runs) {
  PlanState states;
  for (const std::string& run : runs) {
    const State state = state_before(out, run);
    (state == State::done ? states.reused : state == State::failed ? states.failed : states.todo).push_back(run);
  }
  return states;
}

}  // namespace simmim
