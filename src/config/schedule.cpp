#include "config/schedule.h"

#include <cmath>
#include <numbers>

namespace simmim {

double Schedule::at(int64_t t, double scale) const {
  const double top = peak * scale, time = static_cast<double>(t);
  if (t < warmup_steps) return warmup_lr + time * (top - warmup_lr) / static_cast<double>(warmup_steps);
  if (kind == "cosine") {
    if (t >= steps) return min_lr;
    return min_lr + 0.5 * (top - min_lr) * (1 + std::cos(std::numbers::pi * time / static_cast<double>(steps)));
  }
  double rate = top;
  if (kind == "multi_step")
    for (const int64_t milestone : milestones) rate *= milestone <= t ? gamma : 1;
  return rate;
}

Schedule make_schedule(const TrainOptions& options, int64_t steps_per_epoch, int64_t steps) {
  const double factor = options.lr ? 1 : static_cast<double>(options.batch_size) / static_cast<double>(options.lr_per);
  const auto to_steps = [&](double epochs) { return std::llround(epochs * static_cast<double>(steps_per_epoch)); };
  Schedule schedule{.kind = options.schedule,
                    .peak = (options.lr ? *options.lr : options.base_lr.value_or(0)) * factor,
                    .warmup_lr = options.warmup_lr * factor,
                    .min_lr = options.min_lr * factor,
                    .gamma = options.gamma,
                    .warmup_steps = to_steps(options.warmup_epochs),
                    .steps = steps};
  for (const double epoch : options.milestones) schedule.milestones.push_back(to_steps(epoch));
  return schedule;
}

}  // namespace simmim
