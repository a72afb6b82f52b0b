// Rows of tokens by index, with gradients that are copies: index_select's own gradient adds row by row, which costs
// more than the layers around it.
#pragma once
#include "layers/torch.h"

namespace simmim {

// x (B,L,D) -> (B,L,D) with row i taken from row order[i], a permutation; the gradient goes back by the inverse order.
Tensor reorder(const Tensor& x, const Tensor& order, const Tensor& inverse);

// x (R,D), index (M) int64 without repeats -> (M,D)
Tensor take_rows(const Tensor& x, const Tensor& index);

}  // namespace simmim
