#include "train/mixup.h"

#include <algorithm>
#include <cmath>

#include "core/rng.h"

namespace simmim {

Mix cut_around(double lambda, int64_t centre_y, int64_t centre_x, int64_t size) {
  const auto side = static_cast<int64_t>(static_cast<double>(size) * std::sqrt(1 - lambda));
  const auto clipped = [size](int64_t place) { return std::clamp<int64_t>(place, 0, size); };
  Mix mix{.cut = true,
          .top = clipped(centre_y - side / 2),
          .bottom = clipped(centre_y + side / 2),
          .left = clipped(centre_x - side / 2),
          .right = clipped(centre_x + side / 2)};
  const int64_t area = (mix.bottom - mix.top) * (mix.right - mix.left);
  mix.lambda = 1 - static_cast<double>(area) / static_cast<double>(size * size);
  return mix;
}

Mix draw_mix(const FinetuneOptions& options, int64_t size, uint64_t seed, int64_t step) {
  Rng rng(seed, "mixup", static_cast<uint64_t>(step));
  if (rng.uniform() >= options.mix_prob) return {};
  const bool both = options.mixup > 0 && options.cutmix > 0;
  const bool cut = both ? rng.uniform() < options.mix_switch : options.cutmix > 0;
  const double alpha = cut ? options.cutmix : options.mixup, lambda = rng.beta(alpha, alpha);
  if (!cut) return {.lambda = lambda};
  const auto side = static_cast<uint64_t>(size);
  const auto y = static_cast<int64_t>(rng.below(side)), x = static_cast<int64_t>(rng.below(side));
  return cut_around(lambda, y, x, size);
}

void mix_images(const Mix& mix, const Tensor& images, const Tensor& partners) {
  if (mix.lambda == 1) return;
  if (!mix.cut) {
    Tensor(images).mul_(mix.lambda).add_(partners * (1 - mix.lambda));
    return;
  }
  const auto window = [&](const Tensor& all) {
    return all.slice(2, mix.top, mix.bottom).slice(3, mix.left, mix.right);
  };
  window(images).copy_(window(partners));
}

Tensor mix_targets(const Mix& mix, const Tensor& labels, const Tensor& partner_labels, int64_t classes,
                   double smoothing, at::ScalarType dtype) {
  const double off = smoothing / static_cast<double>(classes), on = 1 - smoothing + off;
  const auto smoothed = [&](const Tensor& hard) {
    return at::full({hard.size(0), classes}, off, at::TensorOptions(dtype).device(hard.device()))
        .scatter_(1, hard.unsqueeze(1), on);
  };
  return smoothed(labels) * mix.lambda + smoothed(partner_labels) * (1 - mix.lambda);
}

}  // namespace simmim
