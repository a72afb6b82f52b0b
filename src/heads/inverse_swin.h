// A Swin transformer the other way round: from the cells back to patches, widths halved and the grid doubled between
// stages (the paper's Table 2). The authors published no layout; this one has their parameter counts to 0.2 %: a linear
// layer to the first width, mirrored Swin stages, between them a linear layer D -> 2D whose output is shuffled to twice
// the grid at half the width, and one linear layer from each token to its pixels.
#pragma once
#include <optional>

#include "core/fields.h"
#include "heads/head.h"
#include "layers/window_stage.h"

namespace simmim {

class InverseSwinHead : public Head {
 public:
  struct Options {
    std::string size = "tiny";
    std::optional<int64_t> dim;
    std::vector<int64_t> depths, heads;
    std::optional<int64_t> window;
    double mlp_ratio = 4;
    static void fields(auto& o, auto&& visit) {
      visit("size", o.size,
            "widths 768..96, 2-6-2-2 blocks (tiny) or 1024..128, 2-18-2-2 blocks (base); the paper names no layout: "
            "this one, "
            "Swin's stages mirrored, has its parameters to 0.2 %",
            FieldRule{.choices = {"tiny", "base"}});
      visit("dim", o.dim, "width of the first stage, which every later stage halves; auto: that of size",
            FieldRule{.min = 1});
      visit("depths", o.depths, "blocks of each stage; empty: those of size", FieldRule{.min = 1});
      visit("heads", o.heads, "attention heads of each stage; empty: those of size", FieldRule{.min = 1});
      visit("window", o.window,
            "tokens a side of a window; auto: the grid of cells, halved while it is even and more than 7",
            FieldRule{.min = 1});
      visit("mlp_ratio", o.mlp_ratio, "hidden width of the MLPs over the width", FieldRule{.min = 0.1, .max = 64});
    }
  };

  // Names "proj.*", "layers.s.blocks.b.*", "layers.s.upsample.expand.*" and "pred.*" in `scope`. The last stage's grid
  // is features.side * 2^(stages-1) tokens a side; a target coarser than that is predicted from the mean of the tokens
  // within each of its pixels.
  InverseSwinHead(const Options& options, const Scope& scope, const FeatureShape& features,
                  const PredictionShape& prediction);

  Tensor forward(const Tensor& features) const override;
  bool pointwise() const override { return false; }
  double flops() const override;
  double kept_bytes(const ModelContext& on) const override;

 private:
  int64_t cells_, side_;  // cells a side; values a side of a cell
  bool checkpointing_;
  std::optional<Linear> proj_, pred_;
  std::vector<WindowStage> stages_;
  std::vector<Linear> expands_;  // D -> 2D, one less
};

}  // namespace simmim
