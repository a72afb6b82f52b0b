#include "encoders/swin.h"

#include <cmath>

#include "layers/drop_path.h"

namespace simmim {
namespace {

constexpr double kEps = 1e-5;

// The window a stage really has: no larger than its grid.
int64_t clamped(int64_t window, int64_t side) { return std::min(window, side); }

// The first stage whose grid the window does not cut evenly, or -1.
int64_t misfit(const Swin::Options& o, int64_t image_size, int64_t window) {
  for (size_t stage = 0; stage < o.depths.size(); ++stage) {
    const int64_t side = image_size / (o.patch << stage);
    if (side % clamped(window, side) != 0) return static_cast<int64_t>(stage);
  }
  return -1;
}

void check_sizes(const Swin::Options& o, int64_t image_size) {
  if (o.depths.empty() || o.depths.size() != o.heads.size())
    fail(Code::usage, "encoder.heads: {} stages where encoder.depths has {}; give one number a stage in both",
         o.heads.size(), o.depths.size());
  for (size_t stage = 0; stage < o.heads.size(); ++stage)
    if ((o.dim << stage) % o.heads[stage] != 0)
      fail(Code::usage, "encoder.heads[{}]: {} does not divide the stage's width {}; use {}", stage, o.heads[stage],
           o.dim << stage, nearest_sizes(o.heads[stage], [&](int64_t heads) { return (o.dim << stage) % heads == 0; }));
  if (image_size % o.stride() != 0)
    fail(Code::usage, "data.image_size: {} is not a multiple of {}, what {} stages of patch {} come to; use {}",
         image_size, o.stride(), o.depths.size(), o.patch,
         nearest_sizes(image_size, [&](int64_t size) { return size % o.stride() == 0; }));
  const int64_t window = o.window_at(image_size), stage = misfit(o, image_size, window);
  if (stage >= 0)
    fail(
        Code::usage,
        "encoder.window: {} does not divide the {} tokens a side of stage {}; use window {}, or data.image_size {}",
        window, image_size / (o.patch << stage), stage,
        nearest_sizes(window, [&](int64_t size) { return misfit(o, image_size, size) < 0; }),
        nearest_sizes(image_size, [&](int64_t size) { return size % o.stride() == 0 && misfit(o, size, window) < 0; }));
}

// x (B,h*w,D) -> (B,h/2*w/2,4D): even row and column, odd row, odd column, both odd (swin_transformer.py:326-334).
Tensor gather_quads(const Tensor& x, Grid grid) {
  const int64_t B = x.size(0), D = x.size(2);
  return x.view({B, grid.h / 2, 2, grid.w / 2, 2, D})
      .permute({0, 1, 3, 4, 2, 5})  // (B,h/2,w/2,column parity,row parity,D)
      .reshape({B, grid.cells() / 4, 4 * D});
}

}  // namespace

Swin::Swin(const Options& o, const Scope& scope, const EncoderSite& site, SwinVersion version,
           const std::vector<int64_t>& pretrained_window)
    : options_(o), site_(site), version_(version) {
  check_sizes(o, site.image_size);
  if (!pretrained_window.empty() && pretrained_window.size() != o.depths.size())
    fail(Code::usage, "encoder.pretrained_window: {} numbers where encoder.depths has {}; give one a stage, or []",
         pretrained_window.size(), o.depths.size());
  const Init normal = truncated_normal(0.02, 2);
  if (site.stage == Stage::pretrain) mask_token_ = scope.make("mask_token", {1, 1, o.dim}, normal);
  if (o.absolute_position) {
    const int64_t side = site.image_size / o.patch;
    absolute_pos_embed_ = scope.make("absolute_pos_embed", {1, side * side, o.dim}, normal);
  }
  // The official initialisation leaves out convolutions, so the patch embedding keeps PyTorch's default.
  const Init embed = uniform(1 / std::sqrt(static_cast<double>(3 * o.patch * o.patch)));
  patch_embed_.emplace(scope / "patch_embed" / "proj", o.patch, o.dim, embed, embed);
  embed_norm_.emplace(scope / "patch_embed" / "norm", o.dim, kEps);
  const std::vector<double> rates = drop_path_rates(o.drop_path, layers());
  auto rate = rates.begin();
  for (size_t s = 0; s < o.depths.size(); ++s) {
    const Scope layer = scope / "layers" / static_cast<int64_t>(s);
    const int64_t dim = o.dim << s, side = site.image_size / (o.patch << s);
    stages_.emplace_back(layer,
                         WindowStageOptions{.version = version,
                                            .grid = {side, side},
                                            .window = o.window_at(site.image_size),
                                            .pretrained_window = pretrained_window.empty() ? 0 : pretrained_window[s],
                                            .dim = dim,
                                            .heads = o.heads[s],
                                            .mlp_ratio = o.mlp_ratio,
                                            .drop_path = {rate, rate + o.depths[s]},
                                            .checkpointing = o.checkpointing});
    rate += o.depths[s];
    if (s + 1 < o.depths.size())
      merges_.push_back({Linear(layer / "downsample" / "reduction", 4 * dim, 2 * dim, normal, Linear::Bias::none),
                         LayerNorm(layer / "downsample" / "norm", (version == SwinVersion::one ? 4 : 2) * dim, kEps)});
  }
  norm_.emplace(scope / "norm", shape().channels, kEps);
}

Tensor Swin::merge(const Merge& merge, const Tensor& quads) const {
  return version_ == SwinVersion::one ? merge.reduction(merge.norm(quads)) : merge.norm(merge.reduction(quads));
}

Tensor Swin::run(const Tensor& images, const Tensor& mask, const StepContext& step,
                 const std::function<void(const Tensor&)>& each) const {
  Tensor x = (*embed_norm_)((*patch_embed_)(images));  // (B,L,D)
  if (mask.defined()) x = at::where(mask.view({images.size(0), -1, 1}), mask_token_, x);
  if (absolute_pos_embed_.defined()) x = x + absolute_pos_embed_;
  int64_t first = 0;
  for (size_t s = 0; s < stages_.size(); ++s) {
    x = stages_[s].forward(x, first, step, each);
    first += options_.depths[s];
    if (s < merges_.size()) x = merge(merges_[s], gather_quads(x, stages_[s].grid));
  }
  return x;
}

Tensor Swin::forward(const Tensor& images, const Tensor& mask, const StepContext& step) const {
  const Tensor tokens = (*norm_)(run(images, mask, step, nullptr));
  const Grid grid = stages_.back().grid;
  return tokens.view({images.size(0), grid.h, grid.w, -1}).permute({0, 3, 1, 2});  // (B,C,h,w)
}

std::vector<Tensor> Swin::block_features(const Tensor& images) const {
  std::vector<Tensor> means;
  run(images, {}, {}, [&](const Tensor& x) { means.push_back(x.mean(1)); });
  return means;
}

int64_t Swin::layers() const {
  int64_t blocks = 0;
  for (const int64_t depth : options_.depths) blocks += depth;
  return blocks;
}

double Swin::flops() const {
  double total = 2. * static_cast<double>(stages_[0].grid.cells() * 3 * options_.patch * options_.patch * options_.dim);
  for (const WindowStage& stage : stages_) total += stage.flops();
  for (size_t s = 0; s < merges_.size(); ++s)
    total += 2. * static_cast<double>(stages_[s].grid.cells() / 4 * merges_[s].reduction.weight.numel());
  return total;
}

// Around the blocks: the patches as rows, the embedding, its norm and its masking; at each merge four tokens as one
// row, before and after the norm; the last norm's input and output.
double Swin::kept_bytes(const ModelContext& on) const {
  int64_t around = stages_[0].grid.cells() * (3 * options_.patch * options_.patch + 3 * options_.dim);
  std::vector<KeptBytes> blocks;
  for (size_t s = 0; s < stages_.size(); ++s) {
    const std::vector<KeptBytes> stage = stages_[s].kept_bytes(on);
    blocks.insert(blocks.end(), stage.begin(), stage.end());
    around += 2 * stages_[s].grid.cells() * (options_.dim << s);
  }
  return static_cast<double>(around) * (on.dtype == at::kDouble ? 8 : 4) + most_kept(blocks, options_.checkpointing);
}

int64_t Swin::layer_of(std::string_view name) const {
  name = without_prefix(name);
  if (name == "mask_token" || name.starts_with("patch_embed.")) return 0;
  if (!name.starts_with("layers.")) return layers() + 1;
  const int64_t stage = number_in(name, 0);
  int64_t before = 0;
  for (int64_t s = 0; s < stage; ++s) before += options_.depths[static_cast<size_t>(s)];
  // A merge counts with the last block before it.
  return name.find(".downsample.") != std::string_view::npos ? before + options_.depths[static_cast<size_t>(stage)]
                                                             : before + number_in(name, 1) + 1;
}

// In pre-training the official list names the tables by a path that never matches, so they do decay; in fine-tuning
// they do not (SimMIM simmim.py:52-54, swin_transformer.py no_weight_decay_keywords).
bool Swin::skips_decay(std::string_view name, Stage stage) const {
  if (name == "absolute_pos_embed") return true;
  if (stage == Stage::pretrain) return name == "mask_token";
  return name.find("relative_position_bias_table") != std::string_view::npos;
}

NamedTensors Swin::buffers() const {
  NamedTensors out;
  for (size_t s = 0; s < stages_.size(); ++s)
    for (const auto& [name, tensor] : stages_[s].buffers())
      out.emplace_back(fmt::format("layers.{}.{}", s, name), tensor);
  return out;
}

}  // namespace simmim
