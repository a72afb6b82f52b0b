// A classifier on an encoder: mean pooling and one linear layer. Fine-tuning trains all of it, probes only read
// features.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "core/json.h"
#include "encoders/encoder.h"

namespace simmim {

class Classifier {
 public:
  // config: the resolved configuration of a finetune, probe or eval stage; reads data.image_size, encoder, and
  // finetune.drop_path in place of encoder.drop_path where it is given. classes >= 1.
  Classifier(const Json& config, int64_t classes, const ModelContext& context);

  // images (B,3,S,S) normalised -> (B,classes), f32 (f64 in an f64 model)
  Tensor logits(const Tensor& images, const StepContext& step) const;

  // images -> for each block (encoder().layers() of them) the mean of its patch tokens, (B,D); one pass, no gradient.
  std::vector<Tensor> features(const Tensor& images) const;

  const NamedTensors& parameters() const {
    return parameters_;
  }  // official fine-tune names: "blocks.0...", "head.weight"
  const Encoder& encoder() const { return *encoder_; }
  int64_t layer_of(std::string_view name) const { return encoder_->layer_of(name); }
  bool decays(std::string_view name, int64_t dims) const { return encoder_->decays(name, dims, Stage::finetune); }
  // Bytes that the forward pass of one image keeps for the backward pass, as `on` computes it.
  double kept_bytes(const ModelContext& on) const;
  double flops() const;  // of one image forward, 2 a multiply-add

 private:
  ModelContext context_;
  NamedTensors parameters_;
  std::unique_ptr<Encoder> encoder_;
  Tensor head_weight_, head_bias_;  // (K,C), (K)
};

// logits (B,K), labels (B) int64 -> mean over images of the cross entropy with smoothed targets:
// 1 - smoothing + smoothing/K on the label, smoothing/K elsewhere.
Tensor cross_entropy(const Tensor& logits, const Tensor& labels, double smoothing);

// logits (B,K), targets (B,K) that sum to 1 a row -> mean over images of -sum(target * log_softmax).
Tensor soft_cross_entropy(const Tensor& logits, const Tensor& targets);

}  // namespace simmim
