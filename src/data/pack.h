// Any data set -> tar shards that `tar_shards` (and WebDataset) reads.
#pragma once
#include <filesystem>
#include <functional>

#include "data/dataset.h"

namespace simmim {

struct PackOptions {
  int64_t images_per_shard = 10000;
  int64_t pixels = 0;  // > 0: raw pixels (PPM), the short side reduced to so many
  std::function<void(int64_t done, int64_t total)> progress = nullptr;  // called once in a while
};

struct Packed {
  int64_t images = 0, shards = 0, bytes = 0, skipped = 0;  // skipped: unreadable
};

// Writes destination/SPLIT-000000.tar and so on for each split (val as held out by the options, so that it stays
// apart), and classes.txt where there are classes. Images keep the bytes they are stored with (raw pixels become PNG),
// or, with `pixels`, are decoded and reduced once: then loading is a copy out of a file that all processes map.
// The same data set gives the same bytes. Code::data where the destination already holds tars or cannot be written.
Packed pack_dataset(const Dataset& dataset, const std::filesystem::path& destination, const PackOptions& options = {});

}  // namespace simmim
