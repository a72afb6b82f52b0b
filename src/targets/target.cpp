#include "targets/target.h"

#include "core/error.h"
#include "core/names.h"

namespace simmim {

int64_t fit_resolution(const std::optional<int64_t>& asked, int64_t at_least, const TargetSite& site) {
  std::vector<std::string> allowed;
  for (int64_t r = site.cells; r <= site.image_size; r += site.cells) {
    if (site.image_size % r != 0) continue;
    if (asked ? r == *asked : r >= at_least) return r;
    allowed.push_back(std::to_string(r));
  }
  SIMMIM_CHECK(asked, "no resolution of at least {} fits {} pixels and {} cells", at_least, site.image_size,
               site.cells);
  fail(Code::usage,
       "target.resolution: {} must divide the image's {} pixels a side and be a multiple of the encoder's {} cells a "
       "side; use {}",
       *asked, site.image_size, site.cells, one_of(allowed));
}

Tensor average_squares(const Tensor& images, int64_t resolution) {
  const int64_t B = images.size(0), C = images.size(1), r = resolution, k = images.size(2) / r;
  return k == 1 ? images : images.view({B, C, r, k, r, k}).mean({3, 5});
}

Tensor likeliest(const Tensor& logits, int64_t channels) {
  const int64_t B = logits.size(0), n = logits.size(1) / channels;
  return logits.reshape({B, channels, n, logits.size(2), logits.size(3)}).argmax(2);
}

ColorScale::ColorScale(const TargetSite& site) {
  factor_ = at::empty({1, 3, 1, 1}, at::kDouble);
  shift_ = at::empty({1, 3, 1, 1}, at::kDouble);
  for (size_t c = 0; c < 3; ++c) {
    factor_.data_ptr<double>()[c] = 255 * site.std[c];
    shift_.data_ptr<double>()[c] = 255 * site.mean[c];
  }
  const at::TensorOptions options = at::TensorOptions(site.context.dtype).device(site.context.device);
  factor_ = factor_.to(options);
  shift_ = shift_.to(options);
}

Tensor ColorScale::bytes(const Tensor& images) const { return (images * factor_).add_(shift_).round_().clamp_(0, 255); }

Tensor ColorScale::normalised(const Tensor& bytes) const { return (bytes.to(factor_.dtype()) - shift_) / factor_; }

}  // namespace simmim
