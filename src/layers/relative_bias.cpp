#include "layers/relative_bias.h"

#include "layers/rows.h"

namespace simmim {

int64_t relative_rows(Grid grid, bool cls) { return (2 * grid.h - 1) * (2 * grid.w - 1) + (cls ? 3 : 0); }

Tensor relative_index(Grid grid, bool cls, at::Device device) {
  const int64_t first = cls ? 1 : 0, n = grid.cells() + first, offsets = relative_rows(grid, false);
  Tensor index =
      at::empty({n, n}, at::TensorOptions().dtype(at::kLong).device(device.is_meta() ? at::kMeta : at::kCPU));
  if (device.is_meta()) return index;
  int64_t* rows = index.data_ptr<int64_t>();
  for (int64_t i = 0; i < grid.cells(); ++i)
    for (int64_t j = 0; j < grid.cells(); ++j) {
      const int64_t dy = i / grid.w - j / grid.w, dx = i % grid.w - j % grid.w;
      rows[(i + first) * n + j + first] = (dy + grid.h - 1) * (2 * grid.w - 1) + dx + grid.w - 1;
    }
  if (cls) {
    for (int64_t j = 0; j < n; ++j) rows[j] = offsets;          // CLS asks
    for (int64_t i = 0; i < n; ++i) rows[i * n] = offsets + 1;  // CLS is asked
    rows[0] = offsets + 2;
  }
  return index.to(device);
}

Tensor RelativeBias::operator()() const {
  const int64_t n = index.size(0);
  return take_repeated_rows(table, index.flatten()).view({n, n, -1}).permute({2, 0, 1}).contiguous();
}

}  // namespace simmim
