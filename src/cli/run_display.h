// One run on the screen: a live line on a terminal, a plain line an epoch elsewhere.
#pragma once
#include <string>

#include "cli/terminal.h"
#include "core/json.h"

namespace simmim {

// "epoch 1.2/4  step 210/700  loss 0.7123  lr 1e-3  1,234 img/s  2 min 03 s left" from a progress event.
std::string progress_text(const Json& event);
// "epoch 2: train_loss 0.71, val.loss 0.69" from an epoch event.
std::string epoch_text(const Json& event);

class RunDisplay {
 public:
  RunDisplay(std::string title, bool quiet) : title_(std::move(title)), quiet_(quiet), live_(!quiet) {}
  void event(const Json& event);
  void finish() { live_.clear(); }

 private:
  std::string title_, last_epoch_;
  bool quiet_;
  LiveLines live_;
};

}  // namespace simmim
