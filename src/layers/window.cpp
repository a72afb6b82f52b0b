#include "layers/window.h"

namespace simmim {
namespace {

// Label of a row or column of the shifted grid: 0 the bulk, 1 the last window's part from within, 2 its wrapped part.
int64_t region(int64_t position, int64_t size, int64_t side, int64_t shift) {
  return position < size - side ? 0 : position < size - shift ? 1 : 2;
}

}  // namespace

Windows cut_windows(Grid grid, int64_t side, int64_t shift, const at::TensorOptions& options) {
  const int64_t columns = grid.w / side, count = grid.h / side * columns, n = side * side, length = grid.cells();
  Windows out{.side = side, .count = count};
  if (options.device().is_meta()) {
    if (shift > 0) out.mask = at::empty({count, n, n}, options);
    return out;
  }
  const at::TensorOptions on_cpu = options.device(at::kCPU);
  Tensor order = at::empty({length}, on_cpu.dtype(at::kLong)), inverse = at::empty_like(order);
  std::vector<int64_t> labels(static_cast<size_t>(length));
  for (int64_t i = 0; i < length; ++i) {
    const int64_t window = i / n, cell = i % n;
    const int64_t y = window / columns * side + cell / side, x = window % columns * side + cell % side;
    const int64_t token = (y + shift) % grid.h * grid.w + (x + shift) % grid.w;
    order.data_ptr<int64_t>()[i] = token;
    inverse.data_ptr<int64_t>()[token] = i;
    labels[static_cast<size_t>(i)] = 3 * region(y, grid.h, side, shift) + region(x, grid.w, side, shift);
  }
  out.order = order.to(options.device());
  out.inverse = inverse.to(options.device());
  if (shift > 0) {
    Tensor mask = at::empty({count, n, n}, on_cpu.dtype(at::kFloat));
    for (int64_t i = 0; i < count * n * n; ++i) {
      const int64_t base = i / (n * n) * n, query = base + i / n % n, key = base + i % n;
      mask.data_ptr<float>()[i] = labels[static_cast<size_t>(query)] == labels[static_cast<size_t>(key)] ? 0.f : -100.f;
    }
    out.mask = mask.to(options);
  }
  return out;
}

}  // namespace simmim
