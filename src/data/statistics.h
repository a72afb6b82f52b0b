// Normalisation: x -> (x / 255 - mean) / std, channel by channel.
#pragma once
#include <array>

#include "data/dataset.h"

namespace simmim {

struct Normalisation {
  std::array<double, 3> mean{}, std{};  // of pixels scaled to 0 .. 1
};

// What data.mean and data.std come to. `dataset` is needed for "measure" only, and may be null otherwise. Usage error
// for anything but auto, imagenet, dataset, measure or three numbers (std > 0; one number stands for three).
Normalisation resolve_normalisation(const DataOptions& options, const Dataset* dataset);

// Whether "measure" is asked for, so that the data must be opened.
bool needs_measuring(const DataOptions& options);

// Mean and standard deviation of a split's pixels, each readable image counting the same; of at most `at_most` images,
// evenly spread. Unreadable images are left out.
Normalisation measure(const Dataset& dataset, Split split, int64_t at_most = 20000);

}  // namespace simmim
