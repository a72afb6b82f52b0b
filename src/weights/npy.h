// NumPy's .npy files of numbers (numpy.org/doc/stable/reference/generated/numpy.lib.format.html).
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/files.h"

namespace simmim {

struct NpyArray {
  std::vector<int64_t> shape;
  std::vector<double> values;  // row by row
};

// Version 1 or 2, little-endian f4 or f8, C order. Anything else, and a file that is too short or too long for its
// shape: Code::data, one sentence.
NpyArray read_npy(const fs::path& path);

// Version 1, '<f4', C order.
void write_npy(const fs::path& path, const std::vector<int64_t>& shape, const std::vector<float>& values);

}  // namespace simmim
