#include "layers/patch_embed.h"

namespace simmim {

PatchEmbed::PatchEmbed(const Scope& scope, int64_t patch_side, int64_t dim, const Init& weight_init,
                       const Init& bias_init)
    : patch(patch_side),
      weight(scope.make("weight", {dim, 3, patch, patch}, weight_init)),
      bias(scope.make("bias", {dim}, bias_init)) {}

Tensor PatchEmbed::operator()(const Tensor& images) const {
  return at::linear(patch_rows(images, patch), weight.flatten(1), bias);
}

Tensor patch_rows(const Tensor& images, int64_t patch) {
  const int64_t B = images.size(0), C = images.size(1), h = images.size(2) / patch, w = images.size(3) / patch;
  return images.reshape({B, C, h, patch, w, patch})
      .permute({0, 2, 4, 1, 3, 5})  // (B,h,w,C,P,P)
      .reshape({B, h * w, C * patch * patch});
}

}  // namespace simmim
