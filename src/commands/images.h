// IMAGE arguments: a file, a folder, or SPLIT:FIRST-LAST of the data set.
#pragma once
#include <string>
#include <vector>

#include "train/stage.h"

namespace simmim {

struct NamedPixels {
  std::vector<std::string> names;
  std::vector<uint8_t> pixels;  // (n,3,S,S)
};

// Each image through evaluation's resize and centre crop. Code::usage for a split that is not there, Code::data for a
// file that cannot be read.
NamedPixels read_images(const std::vector<std::string>& words, const StageSetup& setup);

// The mask that somebody drew into `file`: white = masked, see masks/from_image.h.
Mask mask_of(const Image& drawn, Grid grid, const std::string& file);

}  // namespace simmim
