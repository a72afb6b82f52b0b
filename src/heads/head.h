// A prediction head: features of a cell -> the values predicted for the cell's pixels.
#pragma once
#include "core/shapes.h"
#include "layers/scope.h"

namespace simmim {

class Head {
 public:
  virtual ~Head() = default;

  // features (B,C,h,w) -> prediction (B,channels,h*side,w*side)
  virtual Tensor forward(const Tensor& features) const = 0;

  // True if each cell's prediction depends on that cell's features alone: then the masked cells can be predicted
  // without the others, as a batch of images of one cell each.
  virtual bool pointwise() const { return true; }

  virtual double flops() const = 0;  // of one cell forward, 2 a multiply-add

  // Bytes that the forward pass of one cell keeps for the backward pass, as `on` computes it; little beside the
  // encoder's where nothing else is said.
  virtual double kept_bytes(const ModelContext&) const { return 0; }
};

}  // namespace simmim
