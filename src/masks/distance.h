// How far the hidden pixels of a mask are from what can be seen: the AvgDist of the paper's figure 3.
#pragma once
#include "core/shapes.h"

namespace simmim {

// Mean over masked pixels of the Euclidean distance in pixels, centre to centre, to the nearest visible pixel; a mask
// cell is patch x patch pixels and nothing outside the image is visible. Exact distance transform, linear in the
// pixels. NaN if nothing is masked or nothing is visible.
double avg_dist(const Mask& mask, Grid grid, int64_t patch);

}  // namespace simmim
