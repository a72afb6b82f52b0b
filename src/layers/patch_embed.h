// Images to tokens: one linear map of each patch.
#pragma once
#include "layers/scope.h"

namespace simmim {

struct PatchEmbed {
  int64_t patch;
  Tensor weight;  // (D,3,P,P), the shape of the official convolution
  Tensor bias;    // (D)

  PatchEmbed(const Scope& scope, int64_t patch_side, int64_t dim, const Init& weight_init, const Init& bias_init);

  // images (B,3,S,S) -> tokens (B,(S/P)^2,D). A convolution whose stride is its kernel is one matrix product.
  Tensor operator()(const Tensor& images) const;
};

// images (B,C,S,S) -> (B,(S/P)^2,C*P*P), each row one patch in the order channel, row, column
Tensor patch_rows(const Tensor& images, int64_t patch);

}  // namespace simmim
