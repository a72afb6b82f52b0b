// A sweep on the screen: a live line a worker and a total with the time left; off a terminal a plain line when a run
// starts, validates, ends.
#pragma once
#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "cli/terminal.h"
#include "sweep/local.h"

namespace simmim {

class SweepDisplay : public SweepObserver {
 public:
  // `runs`: those selected; `reused`: the ones of them that are done already.
  SweepDisplay(const Json& plan, const std::vector<std::string>& runs, const std::vector<std::string>& reused,
               bool quiet);

  void started(int slot, const std::string& run) override;
  void event(int slot, const std::string& run, const Json& event) override;
  void ended(int slot, const std::string& run, const std::string& state, const std::string& why) override;
  void message(const std::string& sentence) override;
  void tick() override;
  void finish() { live_.clear(); }

 private:
  struct Worker {
    std::string run, progress;
    double share = 0;  // of the run that is done
    std::chrono::steady_clock::time_point last_line = std::chrono::steady_clock::now();
    double first_share = -1;  // what a resumed run had when it came here
  };
  static bool is_worth_a_line(const Worker& worker, const Json& event);
  std::string others_text() const;  // ", 1 failed, 2 stopped"
  double work_done() const;         // in this session
  double seconds_left() const;

  const Json& plan_;
  bool quiet_;
  LiveLines live_;
  std::map<int, Worker> workers_;
  std::map<std::string, double> work_;  // run -> its share of the whole
  size_t total_, done_, failed_ = 0, stopped_ = 0;
  double work_total_ = 0, work_ended_ = 0;  // without reused runs; ended in this session
  double work_skipped_ = 0;                 // parts that resumed runs brought along
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace simmim
