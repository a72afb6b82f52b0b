// photo_tiles: a labelled set of natural colour images for machines without a download: 64 px tiles of the photographs
// in Debian's wallpaper packages; the class is the photograph. Train, val and test are separate strips of each
// photograph with a strip between them left out, so that no test tile touches a training tile. What it measures is
// texture and palette, not objects. The packages' licences differ from file to file, so tiles are cut on the user's
// machine and never shipped.
#pragma once
#include <array>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "data/image.h"

namespace simmim {

struct Photo {
  const char* name;  // of the class
  const char* package;
  const char* path;  // within the package
  const char* hash;  // hash_file_hex of its bytes
};
const std::vector<Photo>& photo_recipe();

inline constexpr int64_t kTileSide = 64;  // pixels
inline constexpr int64_t kPhotoShortSide =
    1280;  // every photograph is resized to this first, so that its resolution tells nothing

// Which strip of n tiles along the photograph's long axis each split takes: [begin, end). The last 30 % are test, 10 %
// val, with one tile between neighbours left out.
struct Strips {
  std::array<std::pair<int64_t, int64_t>, 3> of_split;  // train, val, test
};
Strips photo_strips(int64_t n);

// The tiles of one split, flat ones (standard deviation of grey below 6: sky, blur) left out.
std::vector<Image> cut_tiles(const Image& photo, int64_t split);

using FetchProgress = std::function<void(const std::string& what)>;

// Downloads the packages (apt-get download, no installation, no root), unpacks them, cuts the tiles and writes them to
// `destination` as tar shards; complete or absent. Photographs that yield fewer than 100 training, 10 val or 25 test
// tiles are left out. Code::data where a package cannot be had or a photograph is not the one of the recipe.
void fetch_photo_tiles(const std::filesystem::path& destination, const FetchProgress& progress);

// Where `data fetch photo_tiles` puts them unless told otherwise, and where they are looked for.
std::filesystem::path photo_tiles_folder();

}  // namespace simmim
