// Rows of tokens by index, with gradients that are copies: index_select's own gradient adds row by row, which costs
// more than the layers around it.
#pragma once
#include "layers/torch.h"

namespace simmim {

// x (B,L,D) -> (B,L,D) with row i taken from row order[i], a permutation; the gradient goes back by the inverse order.
Tensor reorder(const Tensor& x, const Tensor& order, const Tensor& inverse);

// x (R,D), index (M) int64 without repeats -> (M,D)
Tensor take_rows(const Tensor& x, const Tensor& index);

// table (R,D), index (M) int64 with repeats -> (M,D). The gradient's sums have one order: on the CPU index_select's do,
// while those of table[index] depend on the threads; on a GPU it is the other way round.
Tensor take_repeated_rows(const Tensor& table, const Tensor& index);

}  // namespace simmim
