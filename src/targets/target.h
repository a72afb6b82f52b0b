// A target: what is to be predicted of an image.
#pragma once
#include "core/shapes.h"
#include "layers/torch.h"

namespace simmim {

class Target {
 public:
  virtual ~Target() = default;

  // images (B,3,S,S) normalised -> (B,channels,r,r) values; or, if classes() > 0, (B,channels,r,r) int64 classes.
  virtual Tensor of(const Tensor& images) const = 0;

  virtual int64_t resolution() const = 0;        // r, target pixels a side
  virtual int64_t channels() const = 0;          // values a target pixel
  virtual int64_t classes() const { return 0; }  // 0: values; n: each of the channels is one of n classes
};

}  // namespace simmim
