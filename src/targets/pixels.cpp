#include "targets/pixels.h"

namespace simmim {

Pixels::Pixels(const Options& options, int64_t image_size) : resolution_(options.resolution.value_or(image_size)) {
  if (resolution_ <= image_size && image_size % resolution_ == 0) return;
  std::vector<std::string> divisors;
  for (int64_t r = 1; r <= image_size; ++r)
    if (image_size % r == 0) divisors.push_back(std::to_string(r));
  fail(Code::usage, "target.resolution: {} does not divide the image's {} pixels a side; use {}", resolution_,
       image_size, one_of(divisors));
}

Tensor Pixels::of(const Tensor& images) const {
  const int64_t B = images.size(0), n = resolution_, k = images.size(2) / n;
  return k == 1 ? images : images.view({B, 3, n, k, n, k}).mean({3, 5});
}

}  // namespace simmim
