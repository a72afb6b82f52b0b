#include "masks/from_image.h"

#include "core/error.h"

namespace simmim {

Mask mask_from_image(std::string_view grey, int64_t h, int64_t w, Grid grid, const std::string& where) {
  SIMMIM_CHECK(static_cast<int64_t>(grey.size()) == h * w, "{} bytes for {} x {} pixels", grey.size(), h, w);
  if (h < grid.h || w < grid.w || h % grid.h != 0 || w % grid.w != 0)
    fail(Code::data,
         "{}: a mask image of {} x {} pixels (width x height); allowed: {} x {}, one pixel a cell of the mask grid, or "
         "a whole multiple",
         where, w, h, grid.w, grid.h);
  const int64_t rows = h / grid.h, columns = w / grid.w;  // pixels a cell
  const auto white = [&](int64_t y, int64_t x) {
    return static_cast<unsigned char>(grey[static_cast<size_t>(y * w + x)]) >= 128;
  };
  Mask mask(static_cast<size_t>(grid.cells()));
  for (int64_t y = 0; y < h; ++y)
    for (int64_t x = 0; x < w; ++x) {
      const int64_t row = y / rows, column = x / columns;
      const bool first = white(row * rows, column * columns);
      if (white(y, x) != first)
        fail(Code::data,
             "{}: the cell in row {}, column {} of the mask is partly white; allowed: cells of {} x {} pixels that are "
             "all white (masked) or all black",
             where, row, column, columns, rows);
      mask[static_cast<size_t>(row * grid.w + column)] = first ? 1 : 0;
    }
  return mask;
}

}  // namespace simmim
