// A list of images: comma-separated lines under a header `path,label,split` (label and split may be left out, the order
// of columns is free, a field with a comma stands in double quotes).
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace simmim {

struct ListedImage {
  std::string path;            // as written
  std::string label;           // "": none
  std::optional<Split> split;  // nullopt: the list has no such column
  int64_t line = 0;
};

// Code::data naming file and line for anything else, and for a list of no images.
std::vector<ListedImage> read_list_file(const std::filesystem::path& path);

}  // namespace simmim
