#include "data/augment.h"

#include <algorithm>
#include <cmath>

namespace simmim {
namespace {

// Python's round: halves go to the even neighbour.
int64_t round_even(double x) { return static_cast<int64_t>(std::nearbyint(x)); }

}  // namespace

void check_pair(const std::vector<double>& pair, const std::string& path) {
  if (pair.size() != 2 || pair[0] > pair[1])
    fail(Code::usage, "{}: got [{}]; allowed: two numbers, the smaller first", path, fmt::join(pair, ", "));
}

void check_augment(const AugmentOptions& options, const std::string& path) {
  check_pair(options.crop_scale, path + ".crop_scale");
  check_pair(options.crop_ratio, path + ".crop_ratio");
}

Crop sample_crop(const AugmentOptions& options, int64_t h, int64_t w, Rng& rng) {
  const double area = static_cast<double>(h * w), height = static_cast<double>(h), width = static_cast<double>(w);
  const double ratio_low = options.crop_ratio[0], ratio_high = options.crop_ratio[1];
  Crop crop;
  for (int attempt = 0; attempt < 10 && crop.w == 0; ++attempt) {
    const double target = area * rng.uniform(options.crop_scale[0], options.crop_scale[1]);
    const double ratio = std::exp(rng.uniform(std::log(ratio_low), std::log(ratio_high)));
    const int64_t crop_w = round_even(std::sqrt(target * ratio)), crop_h = round_even(std::sqrt(target / ratio));
    if (crop_w < 1 || crop_w > w || crop_h < 1 || crop_h > h) continue;
    crop.h = crop_h, crop.w = crop_w;
    crop.top = static_cast<int64_t>(rng.below(static_cast<uint64_t>(h - crop_h + 1)));
    crop.left = static_cast<int64_t>(rng.below(static_cast<uint64_t>(w - crop_w + 1)));
  }
  if (crop.w == 0) {  // no luck: the largest centre crop
    const double ratio = width / height;
    crop.h = ratio < ratio_low ? std::min(h, std::max<int64_t>(1, round_even(width / ratio_low))) : h;
    crop.w = ratio > ratio_high ? std::min(w, std::max<int64_t>(1, round_even(height * ratio_high))) : w;
    crop.top = (h - crop.h) / 2, crop.left = (w - crop.w) / 2;
  }
  crop.flip = rng.uniform() < options.flip;
  return crop;
}

CentreCrop centre_crop(int64_t h, int64_t w, int64_t size, double share) {
  const int64_t side = std::max(size, static_cast<int64_t>(static_cast<double>(size) / share));
  CentreCrop out;  // torchvision: the long side is int(side * long / short)
  out.resized_h = h <= w ? side : side * h / w;
  out.resized_w = w <= h ? side : side * w / h;
  out.top = round_even(static_cast<double>(out.resized_h - size) / 2.0);
  out.left = round_even(static_cast<double>(out.resized_w - size) / 2.0);
  return out;
}

}  // namespace simmim
