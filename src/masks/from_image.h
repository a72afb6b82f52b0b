// A mask that somebody drew.
#pragma once
#include <string>
#include <string_view>

#include "core/shapes.h"

namespace simmim {

// grey: h*w bytes, row by row, white (128 and more) = masked. The image is the grid itself, or a whole multiple of it
// on both axes with every cell of one colour. `where` (the file) opens the message of anything else (Code::data).
Mask mask_from_image(std::string_view grey, int64_t h, int64_t w, Grid grid, const std::string& where);

}  // namespace simmim
