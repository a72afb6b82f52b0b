// Relative position bias of Swin V2: not a table but a small network from log-spaced offsets, so that weights trained
// with one window serve another (Liu et al., CVPR 2022, section 3.3; Swin-Transformer swin_transformer_v2.py).
#pragma once
#include "layers/linear.h"

namespace simmim {

struct ContinuousBias {
  Linear fc1, fc2;     // 2 -> 512, ReLU, 512 -> heads without bias
  Tensor coordinates;  // (1,2w-1,2w-1,2): (dy,dx), see log_coordinates
  Tensor index;        // (N,N) of layers/relative_bias.h
  at::DeviceType device;

  // Names "cpb_mlp.0.*" and "cpb_mlp.2.weight" in `scope`. pretrained: the window that the coordinates are measured by.
  ContinuousBias(const Scope& scope, int64_t window, int64_t pretrained, int64_t heads, const Init& init,
                 Tensor shared_index);

  // -> (heads,N,N) contiguous, 16 sigmoid(network); never in bfloat16.
  Tensor operator()() const;
};

// (1,2w-1,2w-1,2) of `options`: sign(t) log2(1 + |t|) / log2(8) with t = 8 offset / (pretrained - 1), for offsets
// -(w-1) .. w-1 of rows and columns.
Tensor log_coordinates(int64_t window, int64_t pretrained, const at::TensorOptions& options);

}  // namespace simmim
