#include "encoders/vit.h"

#include <cmath>

#include "layers/checkpoint.h"
#include "layers/drop_path.h"

namespace simmim {
namespace {

constexpr double kVitEps = 1e-6, kStd = 0.02;

void check_sizes(const Vit::Options& o, const EncoderSite& site) {
  if (site.image_size % o.patch != 0)
    fail(Code::usage, "data.image_size: {} is not a multiple of encoder.patch {}; use {}", site.image_size, o.patch,
         nearest_sizes(site.image_size, [&](int64_t size) { return size % o.patch == 0; }));
  if (o.dim % o.heads != 0)
    fail(Code::usage, "encoder.heads: {} does not divide encoder.dim {}; use {}", o.heads, o.dim,
         nearest_sizes(o.heads, [&](int64_t heads) { return heads <= o.dim && o.dim % heads == 0; }));
}

}  // namespace

Vit::Vit(const Options& o, const Scope& scope, const EncoderSite& site) : options_(o), site_(site) {
  check_sizes(o, site);
  grid_ = {site.image_size / o.patch, site.image_size / o.patch};
  const bool pretrain = site.stage == Stage::pretrain;
  // Pre-training cuts every initial normal at one standard deviation, fine-tuning at +-2 (SimMIM simmim.py:66-69).
  const Init normal = truncated_normal(kStd, pretrain ? kStd : 2);
  cls_token_ = scope.make("cls_token", {1, 1, o.dim}, normal);
  if (pretrain) mask_token_ = scope.make("mask_token", {1, 1, o.dim}, normal);
  if (o.absolute_position) pos_embed_ = scope.make("pos_embed", {1, 1 + grid_.cells(), o.dim}, normal);
  patch_embed_.emplace(scope / "patch_embed" / "proj", o.patch, o.dim, normal, constant(0));

  const Tensor index = relative_index(grid_, true, scope.context().device);
  const int64_t rows = relative_rows(grid_, true);
  if (pretrain) shared_bias_.emplace(scope / "rel_pos_bias", rows, o.heads, constant(0), index);
  const std::vector<double> rates = drop_path_rates(o.drop_path, o.depth);
  for (int64_t i = 0; i < o.depth; ++i) {
    const Scope block = scope / "blocks" / i;
    blocks_.emplace_back(block, BlockOptions{.dim = o.dim,
                                             .heads = o.heads,
                                             .mlp_ratio = o.mlp_ratio,
                                             .eps = kVitEps,
                                             .layer_scale = o.layer_scale,
                                             .drop_path = rates[static_cast<size_t>(i)],
                                             .split_qkv_bias = true,
                                             .residual_scale = 1 / std::sqrt(2 * static_cast<double>(i + 1)),
                                             .linear = normal});
    if (!pretrain) biases_.emplace_back(block / "attn", rows, o.heads, constant(0), index);
  }
  if (pretrain)
    norm_.emplace(scope / "norm", o.dim, kVitEps);
  else
    fc_norm_.emplace(scope / "fc_norm", o.dim, kVitEps);
}

Tensor Vit::run(const Tensor& images, const Tensor& mask, const StepContext& step,
                const std::function<void(const Tensor&)>& each) const {
  const int64_t B = images.size(0);
  Tensor tokens = (*patch_embed_)(images);  // (B,L,D)
  if (mask.defined()) tokens = at::where(mask.view({B, -1, 1}), mask_token_, tokens);
  Tensor x = at::cat({cls_token_.expand({B, 1, -1}), tokens}, 1);  // (B,1+L,D)
  if (pos_embed_.defined()) x = x + pos_embed_;
  const Tensor shared = shared_bias_ ? (*shared_bias_)() : Tensor();
  for (size_t i = 0; i < blocks_.size(); ++i) {
    const NetworkPart part = [block = &blocks_[i], i, step](const std::vector<Tensor>& in) {
      return block->forward(in[0], in[1], nullptr, static_cast<int64_t>(i), step);
    };
    const Tensor bias = shared.defined() ? shared : biases_[i]();
    x = options_.checkpointing ? checkpoint(part, {x, bias}) : part({x, bias});
    if (each) each(x);
  }
  return x;
}

Tensor Vit::forward(const Tensor& images, const Tensor& mask, const StepContext& step) const {
  Tensor tokens = run(images, mask, step, nullptr).narrow(1, 1, grid_.cells());
  if (norm_) tokens = (*norm_)(tokens);
  return tokens.reshape({images.size(0), grid_.h, grid_.w, -1}).permute({0, 3, 1, 2});  // (B,D,h,w)
}

Tensor Vit::pool(const Tensor& features) const { return (*fc_norm_)(features.mean({2, 3})); }

std::vector<Tensor> Vit::block_features(const Tensor& images) const {
  std::vector<Tensor> means;
  run(images, {}, {}, [&](const Tensor& x) { means.push_back(x.narrow(1, 1, grid_.cells()).mean(1)); });
  return means;
}

double Vit::flops() const {
  const int64_t L = grid_.cells();
  return 2. * static_cast<double>(L * 3 * options_.patch * options_.patch * options_.dim) +
         static_cast<double>(options_.depth) * blocks_[0].flops(L + 1, L + 1);
}

// Around the blocks: the patches as rows, then the embedding before and after masking, the last norm's input and
// output.
double Vit::kept_bytes(const ModelContext& on) const {
  const int64_t L = grid_.cells();
  const double around = static_cast<double>(L * (3 * options_.patch * options_.patch + 4 * options_.dim));
  const double number = on.dtype == at::kDouble ? 8 : 4;
  const KeptBytes block{blocks_[0].kept_bytes(L + 1, L + 1, on), static_cast<double>((L + 1) * options_.dim) * number};
  return around * number + most_kept(std::vector<KeptBytes>(blocks_.size(), block), options_.checkpointing);
}

int64_t Vit::layer_of(std::string_view name) const {
  name = without_prefix(name);
  if (name == "cls_token" || name == "mask_token" || name == "pos_embed" || name.starts_with("patch_embed.")) return 0;
  return name.starts_with("blocks.") ? number_in(name, 0) + 1 : layers() + 1;
}

// The mask token and the bias tables do decay in ViT (SimMIM simmim.py:93-95; microsoft/SimMIM#26).
bool Vit::skips_decay(std::string_view name, Stage) const { return name == "cls_token" || name == "pos_embed"; }

NamedTensors Vit::buffers() const {
  if (shared_bias_) return {{"rel_pos_bias.relative_position_index", shared_bias_->index}};
  NamedTensors out;
  for (size_t i = 0; i < biases_.size(); ++i)
    out.emplace_back("blocks." + std::to_string(i) + ".attn.relative_position_index", biases_[i].index);
  return out;
}

}  // namespace simmim
