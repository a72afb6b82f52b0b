#include "data/photo_tiles.h"

#include <algorithm>
#include <cmath>

#include "core/files.h"
#include "data/resize.h"
#include "data/source.h"

namespace simmim {
namespace {

bool is_flat(const Image& tile) {
  double sum = 0, squares = 0;
  for (size_t at = 0; at < tile.rgb.size(); at += 3) {
    const double grey = 0.299 * tile.rgb[at] + 0.587 * tile.rgb[at + 1] + 0.114 * tile.rgb[at + 2];
    sum += grey, squares += grey * grey;
  }
  const double n = static_cast<double>(tile.rgb.size() / 3), mean = sum / n;
  return squares / n - mean * mean < 6.0 * 6.0;
}

}  // namespace

Strips photo_strips(int64_t n) {
  const int64_t test = std::llround(0.3 * static_cast<double>(n)), val = std::llround(0.1 * static_cast<double>(n));
  const int64_t train = std::max<int64_t>(0, n - test - val - 2);
  return {{{{0, train}, {train + 1, train + 1 + val}, {n - test, n}}}};
}

std::vector<Image> cut_tiles(const Image& photo, int64_t split) {
  const bool wide = photo.w >= photo.h;
  const int64_t along = (wide ? photo.w : photo.h) / kTileSide, across = (wide ? photo.h : photo.w) / kTileSide;
  const auto [begin, end] = photo_strips(along).of_split[static_cast<size_t>(split)];
  std::vector<Image> tiles;
  for (int64_t a = begin; a < end; ++a)
    for (int64_t b = 0; b < across; ++b) {
      const int64_t top = (wide ? b : a) * kTileSide, left = (wide ? a : b) * kTileSide;
      Image tile;
      tile.resize(kTileSide, kTileSide);
      for (int64_t y = 0; y < kTileSide; ++y)
        std::copy_n(photo.rgb.begin() + ((top + y) * photo.w + left) * 3, kTileSide * 3,
                    tile.rgb.begin() + y * kTileSide * 3);
      if (!is_flat(tile)) tiles.push_back(std::move(tile));
    }
  return tiles;
}

std::filesystem::path photo_tiles_folder() { return cache_folder() / "photo_tiles"; }

std::unique_ptr<Source> open_photo_tiles(const DataOptions& options, const fs::path& root) {
  refuse_split_options(options);
  if (!fs::exists(root / "train-000000.tar"))
    fail(Code::data, "{}: holds no photo_tiles; run: simmim data fetch photo_tiles", root.string());
  return open_tar_shards(options, root);
}

}  // namespace simmim
