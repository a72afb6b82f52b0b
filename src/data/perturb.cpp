#include "data/perturb.h"

#include <algorithm>
#include <cmath>

#include "data/augment.h"

namespace simmim {

void check_perturb(const PerturbOptions& options, const std::string& path) {
  if (!options.randaugment.empty()) RandAugment::parse(options.randaugment, path + ".randaugment");
  check_pair(options.erasing_area, path + ".erasing_area");
  check_pair(options.erasing_aspect, path + ".erasing_aspect");
}

std::array<uint8_t, 3> fill_of(const std::array<double, 3>& mean) {
  std::array<uint8_t, 3> fill;
  for (size_t c = 0; c < 3; ++c) fill[c] = static_cast<uint8_t>(std::clamp(std::nearbyint(255 * mean[c]), 0.0, 255.0));
  return fill;
}

void color_jitter(double amount, const Planes& image, Rng& rng) {
  const std::vector<int64_t> order = rng.permutation(3);
  float factors[3];
  for (float& factor : factors) factor = static_cast<float>(rng.uniform(std::max(0.0, 1 - amount), 1 + amount));
  constexpr void (*kAdjust[])(const Planes&, float) = {adjust_brightness, adjust_contrast, adjust_color};
  for (const int64_t i : order) kAdjust[i](image, factors[i]);
}

std::vector<Erasure> draw_erasures(const PerturbOptions& options, int64_t h, int64_t w, Rng& rng) {
  std::vector<Erasure> erasures;
  if (rng.uniform() > options.erasing) return erasures;
  const double area = static_cast<double>(h * w), lowest = std::log(options.erasing_aspect[0]),
               highest = std::log(options.erasing_aspect[1]);
  const auto most = static_cast<uint64_t>(options.erasing_count);
  const uint64_t count = most == 1 ? 1 : 1 + rng.below(most);
  for (uint64_t i = 0; i < count; ++i)
    for (int attempt = 0; attempt < 10; ++attempt) {
      const double target =
          rng.uniform(options.erasing_area[0], options.erasing_area[1]) * area / static_cast<double>(count);
      const double aspect = std::exp(rng.uniform(lowest, highest));
      Erasure erasure{.h = static_cast<int64_t>(std::nearbyint(std::sqrt(target * aspect))),
                      .w = static_cast<int64_t>(std::nearbyint(std::sqrt(target / aspect)))};
      if (erasure.w >= w || erasure.h >= h) continue;
      erasure.top = static_cast<int64_t>(rng.below(static_cast<uint64_t>(h - erasure.h + 1)));
      erasure.left = static_cast<int64_t>(rng.below(static_cast<uint64_t>(w - erasure.w + 1)));
      erasure.values.resize(static_cast<size_t>(options.erasing_mode == "pixel" ? 3 * erasure.h * erasure.w : 3));
      if (options.erasing_mode != "const")
        for (float& value : erasure.values) value = static_cast<float>(rng.normal());
      erasures.push_back(std::move(erasure));
      break;
    }
  return erasures;
}

}  // namespace simmim
