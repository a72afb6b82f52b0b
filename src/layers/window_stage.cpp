#include "layers/window_stage.h"

#include "layers/cosine_block.h"
#include "layers/relative_bias.h"

namespace simmim {
namespace {

constexpr double kEps = 1e-5;

class TableBlock : public WindowBlock {
 public:
  TableBlock(const Scope& scope, const BlockOptions& options, int64_t rows, const Tensor& index)
      : bias_(scope / "attn", rows, options.heads, options.linear, index), block_(scope, options) {}

  Tensor forward(const Tensor& x, const Windows& windows, int64_t index, const StepContext& step) const override {
    return block_.forward(x, bias_(), &windows, index, step);
  }
  double flops(int64_t L, int64_t N) const override { return block_.flops(L, N); }
  double kept_bytes(int64_t L, int64_t N, const ModelContext& on) const override { return block_.kept_bytes(L, N, on); }
  NamedTensors buffers() const override { return {{"relative_position_index", bias_.index}}; }

 private:
  RelativeBias bias_;
  Block block_;
};

}  // namespace

WindowStage::WindowStage(const Scope& scope, const WindowStageOptions& o)
    : grid(o.grid), dim(o.dim), checkpointing(o.checkpointing) {
  const int64_t side = std::min({o.window, grid.h, grid.w});
  straight = cut_windows(grid, side, 0, scope.options());
  shifted = std::min(grid.h, grid.w) <= o.window ? straight : cut_windows(grid, side, side / 2, scope.options());
  const Tensor index = relative_index({side, side}, false, scope.context().device);
  for (size_t b = 0; b < o.drop_path.size(); ++b) {
    const Scope block = scope / "blocks" / static_cast<int64_t>(b);
    const BlockOptions options{.dim = o.dim,
                               .heads = o.heads,
                               .mlp_ratio = o.mlp_ratio,
                               .eps = kEps,
                               .drop_path = o.drop_path[b],
                               .linear = truncated_normal(0.02, 2)};
    if (o.version == SwinVersion::one)
      blocks.push_back(std::make_unique<TableBlock>(block, options, relative_rows({side, side}, false), index));
    else
      blocks.push_back(std::make_unique<CosineBlock>(block, options, side,
                                                     o.pretrained_window > 0 ? o.pretrained_window : side, index));
  }
}

Tensor WindowStage::forward(Tensor x, int64_t first, const StepContext& step,
                            const std::function<void(const Tensor&)>& each) const {
  for (size_t b = 0; b < blocks.size(); ++b) {
    const NetworkPart part = [block = blocks[b].get(), cut = &windows(b), index = first + static_cast<int64_t>(b),
                              step](const std::vector<Tensor>& in) { return block->forward(in[0], *cut, index, step); };
    x = checkpointing ? checkpoint(part, {x}) : part({x});
    if (each) each(x);
  }
  return x;
}

double WindowStage::flops() const {
  double total = 0;
  for (const auto& block : blocks) total += block->flops(grid.cells(), straight.side * straight.side);
  return total;
}

std::vector<KeptBytes> WindowStage::kept_bytes(const ModelContext& on) const {
  const double input = static_cast<double>(grid.cells() * dim * (on.dtype == at::kDouble ? 8 : 4));
  std::vector<KeptBytes> each;
  for (const auto& block : blocks)
    each.push_back({block->kept_bytes(grid.cells(), straight.side * straight.side, on), input});
  return each;
}

NamedTensors WindowStage::buffers() const {
  NamedTensors out;
  for (size_t b = 0; b < blocks.size(); ++b) {
    const std::string block = fmt::format("blocks.{}.", b);
    for (const auto& [name, tensor] : blocks[b]->buffers()) out.emplace_back(block + "attn." + name, tensor);
    if (windows(b).mask.defined()) out.emplace_back(block + "attn_mask", windows(b).mask);
  }
  return out;
}

}  // namespace simmim
