// ViT as SimMIM uses it (BEiT's form): a CLS token, relative position bias instead of position embeddings, layer scale,
// no bias on keys. In pre-training all blocks share one bias table; in fine-tuning each has its own, and the final norm
// gives way to a norm of the pooled tokens (SimMIM vision_transformer.py, simmim.py:57-95).
#pragma once
#include <optional>

#include "core/fields.h"
#include "encoders/encoder.h"
#include "layers/block.h"
#include "layers/patch_embed.h"
#include "layers/relative_bias.h"

namespace simmim {

class Vit : public Encoder {
 public:
  struct Options {
    std::string preset = "vit_nano";
    int64_t patch = 4, dim = 128, depth = 6, heads = 4;
    double mlp_ratio = 4, layer_scale = 0.1, drop_path = 0;
    bool absolute_position = false, checkpointing = false;
    static void fields(auto& o, auto&& visit) {
      visit("preset", o.preset, "sizes by name; every one of them can be overridden",
            FieldRule{.choices = {"vit_nano", "vit_tiny", "vit_small", "vit_base", "vit_large"}});
      visit("patch", o.patch, "pixels a token covers, per axis", FieldRule{.min = 1});
      visit("dim", o.dim, "width: values a token", FieldRule{.min = 1});
      visit("depth", o.depth, "number of blocks", FieldRule{.min = 1});
      visit("heads", o.heads, "attention heads; divides dim", FieldRule{.min = 1});
      visit("mlp_ratio", o.mlp_ratio, "hidden width of the MLPs over dim", FieldRule{.min = 0.1, .max = 64});
      visit("layer_scale", o.layer_scale, "initial scale of each branch; 0: no such parameter",
            FieldRule{.min = 0, .max = 10});
      visit("drop_path", o.drop_path, "share of images for which the last block's branches are left out in training",
            FieldRule{.min = 0, .max = 0.99});
      visit("absolute_position", o.absolute_position,
            "adds a learned vector for each token's place to the tokens, beside the relative bias");
      visit(
          "checkpointing", o.checkpointing,
          "saves memory: activations of a block, also of a head that has some, are computed again in the backward pass",
          FieldRule{.in_id = false});
    }
  };

  Vit(const Options& options, const Scope& scope, const EncoderSite& site);

  Tensor forward(const Tensor& images, const Tensor& mask, const StepContext& step) const override;
  Tensor pool(const Tensor& features) const override;
  Init head_init() const override {
    return scaled(truncated_normal(0.02, 2), 0.001);
  }  // SimMIM vision_transformer.py:254-268
  std::vector<Tensor> block_features(const Tensor& images) const override;
  int64_t patch() const override { return options_.patch; }
  FeatureShape shape() const override { return {options_.dim, options_.patch, grid_.h}; }
  int64_t layers() const override { return options_.depth; }
  double flops() const override;
  double kept_bytes(const ModelContext& on) const override;
  int64_t layer_of(std::string_view name) const override;
  NamedTensors buffers() const override;

 protected:
  bool skips_decay(std::string_view name, Stage stage) const override;

 private:
  // -> tokens (B,1+L,D) after the last block; `each` sees them after every block.
  Tensor run(const Tensor& images, const Tensor& mask, const StepContext& step,
             const std::function<void(const Tensor&)>& each) const;

  Options options_;
  EncoderSite site_;
  Grid grid_;
  Tensor cls_token_, mask_token_;  // (1,1,D); mask token in pre-training only
  Tensor pos_embed_;               // (1,1+L,D), the CLS token's first, or undefined
  std::optional<PatchEmbed> patch_embed_;
  std::optional<RelativeBias> shared_bias_;  // pre-training
  std::vector<RelativeBias> biases_;         // fine-tuning, one a block
  std::vector<Block> blocks_;
  std::optional<LayerNorm> norm_;     // pre-training: on tokens
  std::optional<LayerNorm> fc_norm_;  // fine-tuning: on the pooled token
};

}  // namespace simmim
