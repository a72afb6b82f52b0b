// Learning rates as pure functions of the step. Source: timm 0.4.12 CosineLRScheduler and lr_scheduler.py:119-141 of
// the official code, stepped once an optimizer step.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "config/stages.h"

namespace simmim {

struct Schedule {
  std::string kind = "cosine";  // cosine, multi_step, constant
  double peak = 0, warmup_lr = 0, min_lr = 0, gamma = 0.1;
  int64_t warmup_steps = 0, steps = 0;
  std::vector<int64_t> milestones;  // in steps

  // The schedule at time t for a group whose peak is scale * peak. Warm-up start and floor are absolute, equal for all
  // groups. The cosine counts t and its period from the start of the warm-up, so the rate drops a little where the
  // warm-up ends.
  double at(int64_t t, double scale = 1) const;

  // The rate that optimizer step n (from 0) runs at. The official loop updates the schedule after the step
  // (main_simmim.py:170-171), so step 0 runs at at(0) and step n at at(n - 1).
  double rate(int64_t n, double scale = 1) const { return at(n == 0 ? 0 : n - 1, scale); }
};

// Peak and floors as used (lr given, or base_lr x batch_size / lr_per), milestones and warm-up in steps.
Schedule make_schedule(const TrainOptions& options, int64_t steps_per_epoch, int64_t steps);

}  // namespace simmim
