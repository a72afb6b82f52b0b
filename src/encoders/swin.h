// Swin transformer (Liu et al., ICCV 2021): attention within shifted windows, the grid halved between stages
// (SimMIM swin_transformer.py, simmim.py:19-54). The same form in pre-training and fine-tuning but for the mask token.
// Its second version (encoders/swinv2.h) has other blocks in the same places.
#pragma once
#include <optional>

#include "core/fields.h"
#include "encoders/encoder.h"
#include "layers/patch_embed.h"
#include "layers/window_stage.h"

namespace simmim {

class Swin : public Encoder {
 public:
  struct Options {
    std::string preset = "swin_nano";
    int64_t patch = 2, dim = 32;
    std::vector<int64_t> depths = {2, 2, 2}, heads = {2, 4, 8};
    std::optional<int64_t> window = 4;
    double mlp_ratio = 4, drop_path = 0;
    bool absolute_position = false, checkpointing = false;
    static void fields(auto& o, auto&& visit) {
      visit("preset", o.preset, "sizes by name; every one of them can be overridden",
            FieldRule{.choices = {"swin_nano", "swin_tiny", "swin_small", "swin_base", "swin_large"}});
      shared_fields(o, visit);
    }
    // What both versions have.
    static void shared_fields(auto& o, auto&& visit) {
      visit("patch", o.patch, "pixels a token of the first stage covers, per axis", FieldRule{.min = 1});
      visit("dim", o.dim, "width of the first stage; each later stage doubles it", FieldRule{.min = 1});
      visit("depths", o.depths, "blocks of each stage", FieldRule{.min = 1});
      visit("heads", o.heads, "attention heads of each stage", FieldRule{.min = 1});
      visit("window", o.window,
            "tokens a side of a window; auto: the grid of the last stage (6 at 192 pixels, 7 at 224)",
            FieldRule{.min = 1});
      visit("mlp_ratio", o.mlp_ratio, "hidden width of the MLPs over the width", FieldRule{.min = 0.1, .max = 64});
      visit("drop_path", o.drop_path, "share of images for which the last block's branches are left out in training",
            FieldRule{.min = 0, .max = 0.99});
      visit("absolute_position", o.absolute_position, "adds a learned vector for each token's place to the tokens");
      visit(
          "checkpointing", o.checkpointing,
          "saves memory: activations of a block, also of a head that has some, are computed again in the backward pass",
          FieldRule{.in_id = false});
    }
    // Fills in what follows from the size.
    void settle(int64_t image_size) { window = window_at(image_size); }
    int64_t stride() const { return patch << (depths.size() - 1); }  // pixels a feature cell covers
    int64_t window_at(int64_t image_size) const { return window.value_or(std::max<int64_t>(1, image_size / stride())); }
  };

  Swin(const Options& options, const Scope& scope, const EncoderSite& site)
      : Swin(options, scope, site, SwinVersion::one, {}) {}

  Tensor forward(const Tensor& images, const Tensor& mask, const StepContext& step) const override;
  Tensor pool(const Tensor& features) const override { return features.mean({2, 3}); }
  Init head_init() const override { return truncated_normal(0.02, 2); }
  std::vector<Tensor> block_features(const Tensor& images) const override;
  int64_t patch() const override { return options_.patch; }
  FeatureShape shape() const override {
    return {options_.dim << (options_.depths.size() - 1), options_.stride(), site_.image_size / options_.stride()};
  }
  int64_t layers() const override;
  double flops() const override;
  double kept_bytes(const ModelContext& on) const override;
  int64_t layer_of(std::string_view name) const override;
  NamedTensors buffers() const override;

 protected:
  // pretrained_window: of each stage, version two only; empty: as they are.
  Swin(const Options& options, const Scope& scope, const EncoderSite& site, SwinVersion version,
       const std::vector<int64_t>& pretrained_window);

  bool skips_decay(std::string_view name, Stage stage) const override;

 private:
  // Between stages: four neighbours become one token of twice the width.
  struct Merge {
    Linear reduction;  // 4D -> 2D, no bias
    LayerNorm norm;    // before it (4D); in version two after it (2D)
  };

  Tensor merge(const Merge& merge, const Tensor& quads) const;  // quads (B,L/4,4D) -> (B,L/4,2D)
  // -> tokens (B,L,D) after the last block; `each` sees them after every block.
  Tensor run(const Tensor& images, const Tensor& mask, const StepContext& step,
             const std::function<void(const Tensor&)>& each) const;

  Options options_;
  EncoderSite site_;
  SwinVersion version_;
  Tensor mask_token_;          // (1,1,D), pre-training only
  Tensor absolute_pos_embed_;  // (1,L,D) or undefined
  std::optional<PatchEmbed> patch_embed_;
  std::optional<LayerNorm> embed_norm_;
  std::vector<WindowStage> stages_;
  std::vector<Merge> merges_;  // one less
  std::optional<LayerNorm> norm_;
};

}  // namespace simmim
