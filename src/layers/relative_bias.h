// Relative position bias: a learned number for each head and each offset between two tokens of a grid, added to the
// attention scores.
#pragma once
#include "core/shapes.h"
#include "layers/scope.h"

namespace simmim {

// Rows of the table for a grid: (2h-1)(2w-1) offsets, row (dy+h-1)(2w-1)+(dx+w-1), and three more with a CLS token:
// CLS to token, token to CLS, CLS to CLS (SimMIM vision_transformer.py, BEiT's layout).
int64_t relative_rows(Grid grid, bool cls);

// (N,N) int64: the table's row for query i and key j. With a CLS token it is token 0.
Tensor relative_index(Grid grid, bool cls, at::Device device);

struct RelativeBias {
  Tensor table;  // (rows, heads)
  Tensor index;  // (N,N)

  // index: of relative_index; several blocks may share it.
  RelativeBias(const Scope& scope, int64_t rows, int64_t heads, const Init& init, Tensor shared_index)
      : table(scope.make("relative_position_bias_table", {rows, heads}, init)), index(std::move(shared_index)) {}

  // -> (heads,N,N) contiguous.
  Tensor operator()() const;
};

}  // namespace simmim
