#include "model/classifier.h"

#include <optional>

#include "encoders/encoders.h"
#include "layers/autocast.h"

namespace simmim {
namespace {

Json encoder_block(const Json& config) {
  Json block = config.at("encoder");
  if (const Json* rate = find_path(config, "finetune.drop_path"); rate && rate->is_number()) block["drop_path"] = *rate;
  return block;
}

}  // namespace

Classifier::Classifier(const Json& config, int64_t classes, const ModelContext& context) : context_(context) {
  const Scope scope(parameters_, context);
  const Json block = encoder_block(config);
  const EncoderSite site{config.at("data").at("image_size").get<int64_t>(), Stage::finetune};
  encoder_ = find_variant(encoders(), block, "encoder").make(block, scope, site);
  head_weight_ = (scope / "head").make("weight", {classes, encoder_->shape().channels}, encoder_->head_init());
  head_bias_ = (scope / "head").make("bias", {classes}, constant(0));
}

Tensor Classifier::logits(const Tensor& images, const StepContext& step) const {
  std::optional<Autocast> autocast;
  if (context_.autocast && step.training) autocast.emplace(context_.device.type());
  const Tensor pooled = encoder_->pool(encoder_->forward(images, {}, step));  // (B,C)
  return at::linear(pooled, head_weight_, head_bias_).to(context_.dtype);
}

std::vector<Tensor> Classifier::features(const Tensor& images) const {
  const at::NoGradGuard no_grad;
  return encoder_->block_features(images);
}

double Classifier::flops() const { return encoder_->flops() + 2 * static_cast<double>(head_weight_.numel()); }

double Classifier::kept_bytes(const ModelContext& on) const { return encoder_->kept_bytes(on); }

Tensor cross_entropy(const Tensor& logits, const Tensor& labels, double smoothing) {
  return at::cross_entropy_loss(logits, labels, {}, at::Reduction::Mean, -100, smoothing);
}

Tensor soft_cross_entropy(const Tensor& logits, const Tensor& targets) {
  return -(targets * at::log_softmax(logits, -1)).sum(-1).mean();
}

}  // namespace simmim
