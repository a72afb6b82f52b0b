// The method on one page: mask -> encode -> predict -> compare (Xie et al., CVPR 2022; SimMIM simmim.py).
#include "model/simmim.h"

#include <numeric>
#include <optional>

#include "encoders/encoders.h"
#include "heads/heads.h"
#include "layers/autocast.h"
#include "layers/patch_embed.h"
#include "layers/rows.h"
#include "layers/upload.h"
#include "losses/losses.h"
#include "targets/targets.h"

namespace simmim {
namespace {

std::string multiples(int64_t from, int64_t up_to) {
  std::vector<std::string> out;
  for (int64_t size = from; size <= up_to; size += from)
    if (up_to % size == 0) out.push_back(std::to_string(size));
  return one_of(out);
}

TargetSite target_site(const Json& data, int64_t cells, const ModelContext& context) {
  TargetSite site{.image_size = data.at("image_size"), .cells = cells, .context = context};
  if (data.contains("mean")) site.mean = data["mean"];
  if (data.contains("std")) site.std = data["std"];
  return site;
}

}  // namespace

SimMim::SimMim(const Json& config, const ModelContext& context)
    : context_(context), image_size_(config.at("data").at("image_size").get<int64_t>()) {
  const Scope scope(parameters_, context);
  const auto make = [&](const auto& family, const char* part, auto&&... args) {
    return find_variant(family, config.at(part), part).make(config.at(part), args...);
  };
  encoder_ = make(encoders(), "encoder", scope / "encoder", EncoderSite{image_size_, Stage::pretrain});
  const int64_t tokens = image_size_ / encoder_->patch(), cells = image_size_ / encoder_->shape().stride;
  token_grid_ = {tokens, tokens};
  cell_grid_ = {cells, cells};

  const int64_t mask_patch = config.at("mask").at("patch").get<int64_t>();
  if (mask_patch < 1 || image_size_ % mask_patch != 0 || mask_patch % encoder_->patch() != 0)
    fail(Code::usage,
         "mask.patch: {} must divide the image's {} pixels a side and be a multiple of encoder.patch {}; use {}",
         mask_patch, image_size_, encoder_->patch(), multiples(encoder_->patch(), image_size_));
  mask_grid_ = {image_size_ / mask_patch, image_size_ / mask_patch};

  target_ = make(targets(), "target", target_site(config.at("data"), cells, context));
  loss_ = make(losses(), "loss");
  if ((target_->classes() > 0) != loss_->takes_classes())
    fail(Code::usage, "loss.name: '{}' cannot compare with target '{}', which is made of {}; use loss.name={}",
         config["loss"].value("name", ""), config["target"].value("name", ""),
         target_->classes() > 0 ? "classes" : "values", one_of(losses_for(target_->classes() > 0)));
  const PredictionShape prediction{target_->channels() * std::max<int64_t>(1, target_->classes()),
                                   target_->resolution() / cells};
  head_channels_ = prediction.channels * prediction.side * prediction.side;
  ModelContext of_head = context;
  of_head.checkpointing = config["encoder"].value("checkpointing", false);
  head_ = make(heads(), "head", Scope(parameters_, of_head) / "decoder", encoder_->shape(), prediction);
}

SimMim::Output SimMim::forward(const Tensor& images, const Tensor& mask, const StepContext& step) const {
  const int64_t r = target_->resolution(), side = r / cell_grid_.h;
  const bool masked_only = loss_->masked_only();

  // Mask: every token under a masked cell gives way to the mask token.
  const Tensor hidden = upload(expand_mask(mask, token_grid_.h).to(at::kBool), context_.device);
  Tensor target = target_->of(images);  // (B,c,r,r), in full precision
  std::optional<Autocast> autocast;
  if (context_.autocast && step.training) autocast.emplace(context_.device.type());
  Tensor features = encoder_->forward(images, hidden, step);  // (B,C,h,w)

  // Where only masked pixels count and no cell is partly masked, training predicts the masked cells alone, each as an
  // image of one cell: the same loss for a share of the work.
  const bool gathered = step.training && masked_only && head_->pointwise() && cell_grid_.h % mask.size(1) == 0;
  if (gathered) {
    const Tensor index = upload(expand_mask(mask, cell_grid_.h).flatten().nonzero().flatten(), context_.device);  // (M)
    features = take_rows(features.permute({0, 2, 3, 1}).flatten(0, 2), index).unsqueeze(-1).unsqueeze(-1);  // (M,C,1,1)
    target = patch_rows(target, side).flatten(0, 1).index_select(0, index).view({-1, target.size(1), side, side});
  }
  const Tensor prediction = head_->forward(features).to(context_.dtype);
  autocast.reset();

  // Compare: the mean over what counts in the step's whole batch.
  const Tensor each = loss_->of_each(prediction, target);
  const int64_t images_in_all = step.batch_images > 0 ? step.batch_images : images.size(0);
  const double count = !masked_only            ? static_cast<double>(images_in_all * r * r)
                       : step.batch_images > 0 ? step.batch_masked
                                               : masked_pixels(mask);
  const auto masked_share = [&] {
    return upload(loss_->weigh(expand_mask(mask, r)), images.device()).to(images.options());
  };  // (B,r,r)
  const Tensor weight = masked_only && !gathered ? masked_share() : Tensor();
  Output out{.loss = reduce_loss(each, weight, count)};
  if (!step.training) {
    out.prediction = prediction;
    out.image_loss = image_losses(each, weight);
    if (target_->classes() > 0) {
      const Tensor hits = likeliest(prediction, target.size(1)).eq(target).to(each.dtype());
      out.image_nats = image_losses(each, masked_share());
      out.image_accuracy = image_losses(hits, masked_share());
    }
  }
  return out;
}

double SimMim::masked_pixels(const Tensor& mask) const {
  const int64_t r = target_->resolution(), cells = mask.size(1) * mask.size(2);
  if (loss_->weighs_by_share() || r % mask.size(1) == 0)  // every masked cell counts for its area
    return mask.sum().item<double>() * (static_cast<double>(r * r) / static_cast<double>(cells));
  return loss_->weigh(expand_mask(mask, r)).sum().item<double>();
}

double SimMim::flops() const { return encoder_->flops() + static_cast<double>(cell_grid_.cells()) * head_->flops(); }

// Beside encoder and head: the image, and of each target value the prediction, the target, their difference and its
// size.
double SimMim::kept_bytes(const ModelContext& on) const {
  const int64_t values = target_->resolution() * target_->resolution() * target_->channels() *
                         (3 + std::max<int64_t>(1, target_->classes()));
  return encoder_->kept_bytes(on) + static_cast<double>(cell_grid_.cells()) * head_->kept_bytes(on) +
         static_cast<double>(3 * image_size_ * image_size_ + values) * (on.dtype == at::kDouble ? 8 : 4);
}

Tensor expand_mask(const Tensor& mask, int64_t n) {
  const int64_t B = mask.size(0), h = mask.size(1), w = mask.size(2), H = std::lcm(h, n), W = std::lcm(w, n);
  const Tensor fine = mask.view({B, h, 1, w, 1}).expand({B, h, H / h, w, W / w}).reshape({B, H, W});
  return H == n && W == n ? fine : fine.view({B, n, H / n, n, W / n}).to(at::kFloat).mean({2, 4});
}

}  // namespace simmim
