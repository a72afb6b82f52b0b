#include "targets/normalise.h"

#include <array>

namespace simmim {
namespace {

constexpr double kEps = 1e-6;
constexpr int64_t kImages = 8;  // at a time: the sums are f64 and many

// Along axis `dim` of length S: for each place the first and the one after the last place of its window.
struct Range {
  Tensor begin, end;  // (S) int64
  Range(int64_t S, int64_t side, at::Device device) {
    const Tensor place = at::arange(S, at::TensorOptions(at::kLong).device(device));
    begin = (place - side / 2).clamp_min_(0);
    end = (place + side / 2 + 1).clamp_max_(S);
  }
};

// x (B,3,S,S) f64 -> sums over each pixel's window, by running sums: the cost does not depend on the window.
Tensor window_sums(Tensor x, const Range& range) {
  for (const int64_t dim : {2, 3}) {
    const Tensor running = at::cat({at::zeros_like(x.narrow(dim, 0, 1)), x.cumsum(dim)}, dim);
    x = running.index_select(dim, range.end) - running.index_select(dim, range.begin);
  }
  return x;
}

}  // namespace

LocalStatistics patch_statistics(const Tensor& images, int64_t side) {
  const int64_t B = images.size(0), S = images.size(2), n = S / side;
  const Tensor patches = images.view({B, 3, n, side, n, side});
  const auto spread = [&](const Tensor& each) {  // (B,1,n,1,n,1) -> (B,1,S,S)
    return each.expand({B, 1, n, side, n, side}).reshape({B, 1, S, S});
  };
  const std::array<int64_t, 3> within = {1, 3, 5};
  return {spread(patches.mean(within, /*keepdim=*/true)),
          spread((patches.var(within, /*unbiased=*/true, /*keepdim=*/true) + kEps).sqrt_())};
}

LocalStatistics window_statistics(const Tensor& images, int64_t side) {
  const int64_t S = images.size(2);
  const Range range(S, side, images.device());
  const Tensor length = (range.end - range.begin).to(at::kDouble), count = length.unsqueeze(1) * length;  // (S,S)
  LocalStatistics out{at::empty_like(images), at::empty_like(images)};
  for (int64_t first = 0; first < images.size(0); first += kImages) {
    const int64_t last = std::min(images.size(0), first + kImages);
    const Tensor x = images.slice(0, first, last).to(at::kDouble);
    const Tensor mean = window_sums(x, range) / count;
    const Tensor variance = (window_sums(x * x, range) / count - mean * mean) * (count / (count - 1));
    out.mean.slice(0, first, last).copy_(mean);
    out.deviation.slice(0, first, last).copy_((variance.clamp_min(0) + kEps).sqrt_());
  }
  return out;
}

}  // namespace simmim
