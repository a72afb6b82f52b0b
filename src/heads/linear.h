// The paper's head: one linear layer from a cell's features to all values of the cell (SimMIM simmim.py:103-107).
#pragma once
#include "core/fields.h"
#include "heads/head.h"

namespace simmim {

class LinearHead : public Head {
 public:
  struct Options {
    static void fields(auto&, auto&&) {}
  };

  // Names "0.weight" (channels*side^2, C, 1, 1) and "0.bias" in `scope`.
  LinearHead(const Options& options, const Scope& scope, const FeatureShape& features,
             const PredictionShape& prediction);
  Tensor forward(const Tensor& features) const override;
  double flops() const override { return 2 * static_cast<double>(weight_.numel()); }

 private:
  int64_t side_;
  Tensor weight_, bias_;
};

// rows (B,h,w,channels*side^2) -> (B,channels,h*side,w*side), value c*side^2 + i*side + j of a cell at its row i,
// column j (PixelShuffle).
Tensor shuffle_cells(const Tensor& rows, int64_t side);

}  // namespace simmim
