// An encoder turns images, some of whose patches are hidden behind a mask token, into a grid of features. This is all
// that the model, the optimizer and the probes know of ViT and Swin.
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/shapes.h"
#include "layers/scope.h"
#include "layers/step.h"

namespace simmim {

enum class Stage { pretrain, finetune };

// What an encoder is built for, besides its own options.
struct EncoderSite {
  int64_t image_size = 0;  // pixels a side
  Stage stage = Stage::pretrain;
};

class Encoder {
 public:
  virtual ~Encoder() = default;

  // images (B,3,S,S) normalised; mask (B,S/P,S/P) bool, true = masked, or an undefined tensor (nothing is hidden)
  // -> features (B,C,h,w). In memory channels come last, so permute({0,2,3,1}) is free.
  virtual Tensor forward(const Tensor& images, const Tensor& mask, const StepContext& step) const = 0;

  // Features of forward -> (B,C), the input of a classifier's head (fine-tuning form only).
  virtual Tensor pool(const Tensor& features) const = 0;

  // How the weights of a classifier's head on this encoder start.
  virtual Init head_init() const = 0;

  // images -> for each of the layers() blocks the mean of its patch tokens, (B,D of that block); no CLS, no final norm.
  virtual std::vector<Tensor> block_features(const Tensor& images) const = 0;

  virtual int64_t patch() const = 0;       // pixels a token covers, per axis
  virtual FeatureShape shape() const = 0;  // of the features
  virtual int64_t layers() const = 0;      // n: blocks over all stages
  virtual double flops() const = 0;        // of one image forward, 2 a multiply-add

  // Bytes that the forward pass of one image keeps for the backward pass, as `on` computes it. Here as if every FLOP
  // were of a product with all the channels: each such product leaves a number for every two of them.
  virtual double kept_bytes(const ModelContext& on) const;

  // 0 (embedding) .. n+1 (norm, head) for a parameter's name, with or without the "encoder." prefix: layer-wise rate
  // decay is decay^(n+1-id) (SimMIM optimizer.py:69-183).
  virtual int64_t layer_of(std::string_view name) const = 0;

  // Whether weight decay acts on a parameter of `dims` dimensions, by the official rules and their quirks
  // (optimizer.py:47-66, 69-183): never on 1-d tensors and biases; the rest is the encoder's.
  bool decays(std::string_view name, int64_t dims, Stage stage) const;

  // Buffers of the official state dict that are not parameters (relative_position_index, attn_mask), for export.
  virtual NamedTensors buffers() const = 0;

 protected:
  virtual bool skips_decay(std::string_view name, Stage stage) const = 0;
};

// "encoder.blocks.0.x" -> "blocks.0.x".
std::string_view without_prefix(std::string_view name);

// The n-th number in a dotted name: number_in("layers.2.blocks.5.norm1.weight", 1) is 5.
int64_t number_in(std::string_view name, int n);

// "28 and 32": the sizes nearest to `size` on both sides for which `fits`, for messages about a size that does not.
std::string nearest_sizes(int64_t size, const std::function<bool(int64_t)>& fits);

}  // namespace simmim
