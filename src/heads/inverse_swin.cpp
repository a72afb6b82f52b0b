#include "heads/inverse_swin.h"

#include <cmath>

#include "heads/linear.h"

namespace simmim {
namespace {

using Options = InverseSwinHead::Options;

// What is not given follows from the size: Swin-T and Swin-B backwards.
Options completed(Options o) {
  const bool base = o.size == "base";
  if (!o.dim) o.dim = base ? 1024 : 768;
  if (o.depths.empty()) o.depths = {2, base ? 18 : 6, 2, 2};
  if (o.heads.empty()) o.heads = base ? std::vector<int64_t>{32, 16, 8, 4} : std::vector<int64_t>{24, 12, 6, 3};
  return o;
}

// The tokens a cell is divided into, per axis.
int64_t division(const Options& o) { return int64_t{1} << (o.depths.size() - 1); }

int64_t window_for(const Options& o, int64_t cells) {
  if (o.window) return *o.window;
  while (cells % 2 == 0 && cells > 7) cells /= 2;
  return cells;
}

void check_sizes(const Options& o, const FeatureShape& features, const PredictionShape& prediction) {
  const size_t stages = o.depths.size();
  if (o.heads.size() != stages)
    fail(Code::usage, "head.heads: {} stages where head.depths has {}; give one number a stage in both", o.heads.size(),
         stages);
  for (size_t s = 0; s < stages; ++s)
    if (*o.dim % (o.heads[s] << s) != 0)
      fail(
          Code::usage,
          "head.heads[{}]: {} heads do not divide {} halved {} times, the stage's width; change head.heads or head.dim",
          s, o.heads[s], *o.dim, s);
  int64_t most = 1;  // stages that the cell's pixels allow
  for (int64_t stride = features.stride; stride % 2 == 0; stride /= 2) ++most;
  if (static_cast<int64_t>(stages) > most)
    fail(Code::usage,
         "head.depths: {} stages double the grid {} times, which the {} pixels of the encoder's cells do not allow; "
         "give at most {} in head.depths and head.heads, or take an encoder whose cells are a multiple of {} pixels",
         stages, stages - 1, features.stride, most, division(o));
  if (prediction.side % division(o) != 0 && division(o) % prediction.side != 0)
    fail(Code::usage,
         "target.resolution: {} values a side of a cell neither divide nor are divided by the {} tokens of the head's "
         "last stage; use {} or {}",
         prediction.side, division(o), features.side * division(o), features.side * features.stride);
  const int64_t window = window_for(o, features.side);
  for (size_t s = 0; s < stages; ++s)
    if (const int64_t side = features.side << s; side % std::min(window, side) != 0)
      fail(Code::usage, "head.window: {} does not divide the {} tokens a side of stage {}; use auto or {}", window,
           side, s, window_for({}, features.side));
}

// x (B,h*w,4D) -> (B,2h*2w,D): the pixel shuffle of every token.
Tensor shuffle_tokens(const Tensor& x, Grid grid) {
  const int64_t B = x.size(0), D = x.size(2) / 4;
  return x.view({B, grid.h, grid.w, D, 2, 2})
      .permute({0, 1, 4, 2, 5, 3})  // (B,h,2,w,2,D)
      .reshape({B, 4 * grid.cells(), D});
}

// x (B,h*w,D) -> (B,h/p,w/p,D), means of p x p tokens
Tensor pool_tokens(const Tensor& x, Grid grid, int64_t p) {
  return x.view({x.size(0), grid.h / p, p, grid.w / p, p, x.size(2)}).mean({2, 4});
}

}  // namespace

InverseSwinHead::InverseSwinHead(const Options& options, const Scope& scope, const FeatureShape& features,
                                 const PredictionShape& prediction)
    : cells_(features.side), side_(prediction.side), checkpointing_(scope.context().checkpointing) {
  const Options o = completed(options);
  check_sizes(o, features, prediction);
  const Init normal = truncated_normal(0.02, 2);
  proj_.emplace(scope / "proj", features.channels, *o.dim, normal);
  for (size_t s = 0; s < o.depths.size(); ++s) {
    const Scope layer = scope / "layers" / static_cast<int64_t>(s);
    const int64_t dim = *o.dim >> s, side = cells_ << s;
    stages_.emplace_back(layer, WindowStageOptions{.grid = {side, side},
                                                   .window = window_for(o, cells_),
                                                   .dim = dim,
                                                   .heads = o.heads[s],
                                                   .mlp_ratio = o.mlp_ratio,
                                                   .drop_path = std::vector<double>(static_cast<size_t>(o.depths[s])),
                                                   .checkpointing = checkpointing_});
    if (s + 1 < o.depths.size()) expands_.emplace_back(layer / "upsample" / "expand", dim, 2 * dim, normal);
  }
  const int64_t last = *o.dim >> (o.depths.size() - 1), values = std::max<int64_t>(1, side_ / division(o));
  pred_.emplace(scope / "pred", last, prediction.channels * values * values,
                uniform(1 / std::sqrt(static_cast<double>(last))));
}

Tensor InverseSwinHead::forward(const Tensor& features) const {
  Tensor x = (*proj_)(features.permute({0, 2, 3, 1}).flatten(1, 2));  // (B,L,D)
  for (size_t s = 0; s < stages_.size(); ++s) {
    x = stages_[s].forward(x, 0, {});
    if (s < expands_.size()) x = shuffle_tokens(expands_[s](x), stages_[s].grid);
  }
  const Grid grid = stages_.back().grid;
  const int64_t tokens = grid.h / cells_;
  x = pool_tokens(x, grid, std::max<int64_t>(1, tokens / side_));
  return shuffle_cells((*pred_)(x), std::max<int64_t>(1, side_ / tokens));
}

double InverseSwinHead::flops() const {
  const auto product = [](const Linear& linear, int64_t rows) {
    return 2 * static_cast<double>(rows * linear.weight.numel());
  };
  const int64_t cells = cells_ * cells_;
  double total = product(*proj_, cells) + product(*pred_, std::min(stages_.back().grid.cells(), cells * side_ * side_));
  for (const WindowStage& stage : stages_) total += stage.flops();
  for (size_t s = 0; s < expands_.size(); ++s) total += product(expands_[s], stages_[s].grid.cells());
  return total / static_cast<double>(cells);
}

// Around the blocks: the features, and what each stage hands to the linear layer behind it.
double InverseSwinHead::kept_bytes(const ModelContext& on) const {
  double around = static_cast<double>(cells_ * cells_ * proj_->weight.size(1));
  std::vector<KeptBytes> blocks;
  for (const WindowStage& stage : stages_) {
    const std::vector<KeptBytes> each = stage.kept_bytes(on);
    blocks.insert(blocks.end(), each.begin(), each.end());
    around += static_cast<double>(stage.grid.cells() * stage.dim);
  }
  return (around * (on.dtype == at::kDouble ? 8 : 4) + most_kept(blocks, checkpointing_)) /
         static_cast<double>(cells_ * cells_);
}

}  // namespace simmim
