#include "cli/sweep_display.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "cli/run_display.h"
#include "runs/estimate.h"
#include "sweep/plan.h"

namespace simmim {

SweepDisplay::SweepDisplay(const Json& plan, const std::vector<std::string>& runs,
                           const std::vector<std::string>& reused, bool quiet)
    : plan_(plan), quiet_(quiet), live_(!quiet), total_(runs.size()), done_(reused.size()) {
  for (const std::string& run : runs) {
    if (std::find(reused.begin(), reused.end(), run) != reused.end()) continue;
    work_[run] = work_of(plan.at("runs").at(run));
    work_total_ += work_[run];
  }
}

void SweepDisplay::started(int slot, const std::string& run) {
  workers_[slot] = {.run = run, .progress = "starting"};
  if (!live_.enabled()) say(quiet_, fmt::format("{}  start   {}", run, run_title(plan_, run)));
}

void SweepDisplay::event(int slot, const std::string& run, const Json& event) {
  Worker& worker = workers_[slot];
  const std::string kind = event.value("event", "");
  if (kind == "progress") {
    worker.progress = progress_text(event);
    if (event.contains("step") && event.contains("steps") && event["steps"].is_number() && event["steps"] > 0)
      worker.share = event["step"].get<double>() / event["steps"].get<double>();
    if (worker.first_share < 0) worker.first_share = worker.share > 0.05 ? worker.share : 0;
  }
  if (kind == "epoch" && !live_.enabled() && is_worth_a_line(worker, event)) {
    worker.last_line = std::chrono::steady_clock::now();
    say(quiet_, fmt::format("{}  {}", run, epoch_text(event)));
  }
}

void SweepDisplay::ended(int slot, const std::string& run, const std::string& state, const std::string& why) {
  if (state == "done" || state == "failed" || state == "stopped") {
    work_ended_ += work_[run];
    work_skipped_ += work_[run] * std::max(0.0, workers_[slot].first_share);
    ++(state == "done" ? done_ : state == "failed" ? failed_ : stopped_);
  }
  workers_.erase(slot);
  if (quiet_ && state != "failed") return;
  const std::string line =
      fmt::format("{}  {:<7} {}{}{}", run, state, run_title(plan_, run), why.empty() ? "" : ": ", why);
  tick();  // what stays below the line says that this run is over
  live_.print_above(live_.enabled() ? line
                                    : fmt::format("{}  [{}/{}{}, {} left]", line, done_, total_, others_text(),
                                                  duration_text(seconds_left())));
}

std::string SweepDisplay::others_text() const {
  return (failed_ ? fmt::format(", {} failed", failed_) : "") + (stopped_ ? fmt::format(", {} stopped", stopped_) : "");
}

void SweepDisplay::message(const std::string& sentence) { live_.print_above(sentence); }

void SweepDisplay::tick() {
  if (!live_.enabled()) return;
  std::vector<std::string> lines;
  for (const auto& [slot, worker] : workers_)
    lines.push_back(fmt::format("{}  {}  {}", slot + 1, worker.progress, run_title(plan_, worker.run)));
  lines.push_back(fmt::format("{}/{} runs done{}, {} running, {} left", done_, total_, others_text(), workers_.size(),
                              duration_text(seconds_left())));
  live_.show(lines);
}

// Off a terminal: epochs that validate, and others not more often than every ten seconds.
bool SweepDisplay::is_worth_a_line(const Worker& worker, const Json& event) {
  for (const auto& [key, value] : event.items())
    if (key.starts_with("val.")) return true;
  return std::chrono::steady_clock::now() - worker.last_line > std::chrono::seconds(10);
}

double SweepDisplay::work_done() const {
  double done = work_ended_ - work_skipped_;
  for (const auto& [slot, worker] : workers_)
    if (const auto it = work_.find(worker.run); it != work_.end())
      done += it->second * (worker.share - std::max(0.0, worker.first_share));
  return done;
}

double SweepDisplay::seconds_left() const {
  const double done = work_done();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  if (done <= 0) return std::numeric_limits<double>::quiet_NaN();
  return seconds / done * std::max(0.0, work_total_ - done - work_skipped_);
}

}  // namespace simmim
