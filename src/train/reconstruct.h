// Pictures of what a pre-trained model predicts.
#pragma once
#include <vector>

#include "data/image.h"
#include "model/simmim.h"
#include "train/stage.h"

namespace simmim {

// Rows of four pictures: the input, the input with its hidden pixels grey, the prediction, and the prediction pasted
// into the visible input (what is visible of a masked-only model's prediction is untrained).
struct Sheet {
  std::vector<std::array<Image, 4>> rows;
  std::vector<Json> measures;  // of each row's image: {"loss"}, of a target of classes also "accuracy" (percent of the
                               // masked target pixels) and "perplexity"
};

// images (n,3,S,S) normalised, mask (n,gh,gw) uint8. Predicted classes are drawn as the colours they stand for.
void add_to_sheet(Sheet& sheet, const SimMim& model, const StageSetup& setup, const Tensor& images, const Tensor& mask);

// One picture; small images are enlarged by a whole factor, without smoothing. Many rows stand in several columns.
Image draw_sheet(const Sheet& sheet);

}  // namespace simmim
