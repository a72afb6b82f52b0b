// Shifted windows: the token grid is cut into squares within which tokens attend; every other block moves the cut by
// half a window, so that neighbours meet (Liu et al., ICCV 2021, section 3.2).
#pragma once
#include "core/shapes.h"
#include "layers/torch.h"

namespace simmim {

struct Windows {
  int64_t side = 0;   // tokens a side; N = side^2
  int64_t count = 1;  // nW, windows of an image
  Tensor order;       // (L) int64: the token that comes i-th when windows follow one another
  Tensor inverse;     // (L) int64: where a token went
  Tensor mask;        // (nW,N,N) 0 or -100: tokens that only the wrap-around made neighbours; undefined without shift
};

// Cuts a grid whose sides are multiples of `side`. shift: 0 <= shift < side, the cyclic shift up and left. The mask is
// of `options` (number type and device); -100 and not -inf as in the official code.
Windows cut_windows(Grid grid, int64_t side, int64_t shift, const at::TensorOptions& options);

}  // namespace simmim
