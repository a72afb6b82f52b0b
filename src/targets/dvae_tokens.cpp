#include "targets/dvae_tokens.h"

#include "layers/autocast.h"

namespace simmim {
namespace {

constexpr double kGrey = 127.5;

std::unique_ptr<Dvae> open_tokenizer(const std::string& file, const ModelContext& context) {
  if (file.empty())
    fail(Code::usage,
         "target.tokenizer: none is given, and dvae_tokens needs one; train it with simmim data train-dvae -o FILE, or "
         "name DALL-E's encoder.pkl");
  return load_dvae(file, context);
}

// (B,3,n,n) -> (B,3,side,side)
Tensor resized(const Tensor& pixels, int64_t side) {
  if (pixels.size(2) == side) return pixels;
  return at::_upsample_bicubic2d_aa(pixels, {side, side}, /*align_corners=*/false);
}

}  // namespace

DvaeTokens::DvaeTokens(const Options& options, const TargetSite& site)
    : dvae_(open_tokenizer(options.tokenizer, site.context)),
      resolution_(fit_resolution(options.resolution,
                                 (site.image_size + dvae_->sizes.stride() - 1) / dvae_->sizes.stride(), site)),
      scale_(site) {}

Tensor DvaeTokens::of(const Tensor& images) const {
  const at::NoGradGuard no_grad;
  const Autocast full_precision(images.device().type(), /*on=*/false);
  const Tensor pixels = resized(scale_.bytes(images) / 255, resolution_ * dvae_->sizes.stride()).clamp(0, 1);
  return (*dvae_->encoder)(pixels).argmax(1, /*keepdim=*/true);
}

Tensor DvaeTokens::draw(const Tensor& prediction, const Tensor& images) const {
  const at::NoGradGuard no_grad;
  const Tensor tokens = likeliest(prediction, 1).squeeze(1);
  if (!dvae_->decoder) return scale_.normalised(at::full(images.sizes(), kGrey, images.options()));
  return scale_.normalised(resized(dvae_->decoder->pixels(tokens), images.size(2)).clamp(0, 1) * 255);
}

}  // namespace simmim
