// Blocks on one grid of tokens whose attention stays within windows, every other block's windows shifted: what both
// versions of Swin and the inverse Swin head are made of.
#pragma once
#include <functional>
#include <memory>
#include <vector>

#include "layers/block.h"
#include "layers/checkpoint.h"

namespace simmim {

// Swin (Liu et al., ICCV 2021): layers/block.h with a table of biases. Swin V2 (Liu et al., CVPR 2022):
// layers/cosine_block.h.
enum class SwinVersion { one, two };

// Such a block with its own relative position bias.
class WindowBlock {
 public:
  virtual ~WindowBlock() = default;

  // x (B,L,D) -> (B,L,D). index: of the block in the network, for drop path.
  virtual Tensor forward(const Tensor& x, const Windows& windows, int64_t index, const StepContext& step) const = 0;

  // FLOPs of one image forward, 2 a multiply-add, for L tokens in windows of N.
  virtual double flops(int64_t L, int64_t N) const = 0;
  // Bytes that it keeps for the backward pass, as `on` computes it.
  virtual double kept_bytes(int64_t L, int64_t N, const ModelContext& on) const = 0;

  // What the official state dict holds of its bias besides parameters, by the name within "attn".
  virtual NamedTensors buffers() const = 0;
};

struct WindowStageOptions {
  SwinVersion version = SwinVersion::one;
  Grid grid;
  int64_t window = 0;             // tokens a side; a window larger than the grid is the grid, and none is shifted then
  int64_t pretrained_window = 0;  // version two: of the weights (layers/continuous_bias.h); 0: as window
  int64_t dim = 0, heads = 1;
  double mlp_ratio = 4;
  std::vector<double> drop_path;  // of each block: there are as many as rates
  bool checkpointing = false;     // blocks are computed again in the backward pass (layers/checkpoint.h)
};

struct WindowStage {
  Grid grid;
  int64_t dim;
  Windows straight, shifted;  // the cuts of even and odd blocks
  std::vector<std::unique_ptr<WindowBlock>> blocks;
  bool checkpointing;

  // Names "blocks.b.*" in `scope`.
  WindowStage(const Scope& scope, const WindowStageOptions& options);

  // x (B,L,D) -> (B,L,D). first: index of the first block in the network; `each`, where given, sees the tokens after
  // every block.
  Tensor forward(Tensor x, int64_t first, const StepContext& step,
                 const std::function<void(const Tensor&)>& each = nullptr) const;

  double flops() const;                                             // of one image forward
  std::vector<KeptBytes> kept_bytes(const ModelContext& on) const;  // of one image, a block

  // "blocks.b.attn.relative_position_index", "blocks.b.attn_mask", ...
  NamedTensors buffers() const;

  const Windows& windows(size_t block) const { return block % 2 == 0 ? straight : shifted; }
};

}  // namespace simmim
