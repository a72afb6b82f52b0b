#include "layers/continuous_bias.h"

#include <cmath>

#include "layers/autocast.h"
#include "layers/rows.h"

namespace simmim {
namespace {

constexpr int64_t kHidden = 512;
constexpr double kLargest = 16;

}  // namespace

ContinuousBias::ContinuousBias(const Scope& scope, int64_t window, int64_t pretrained, int64_t heads, const Init& init,
                               Tensor shared_index)
    : fc1(scope / "cpb_mlp" / 0, 2, kHidden, init),
      fc2(scope / "cpb_mlp" / 2, kHidden, heads, init, Linear::Bias::none),
      coordinates(log_coordinates(window, pretrained, scope.options())),
      index(std::move(shared_index)),
      device(scope.context().device.type()) {}

Tensor ContinuousBias::operator()() const {
  const Autocast exact(device, false);
  const int64_t n = index.size(0);
  const Tensor table = kLargest * fc2(fc1(coordinates.view({-1, 2})).relu()).sigmoid();  // (offsets,heads)
  return take_repeated_rows(table, index.flatten()).view({n, n, -1}).permute({2, 0, 1}).contiguous();
}

Tensor log_coordinates(int64_t window, int64_t pretrained, const at::TensorOptions& options) {
  const int64_t side = 2 * window - 1;
  if (options.device().is_meta()) return at::empty({1, side, side, 2}, options);
  Tensor out = at::empty({1, side, side, 2}, at::kDouble);
  const auto place = [&](int64_t i) {  // of the i-th offset; a window of one token has offset 0 alone
    const double t =
        8 * static_cast<double>(i - (window - 1)) / static_cast<double>(std::max<int64_t>(1, pretrained - 1));
    return std::copysign(std::log2(std::abs(t) + 1) / std::log2(8.), t);
  };
  double* next = out.data_ptr<double>();
  for (int64_t i = 0; i < side; ++i)
    for (int64_t j = 0; j < side; ++j) *next++ = place(i), *next++ = place(j);
  return out.to(options);
}

}  // namespace simmim
