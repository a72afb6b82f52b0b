#include "data/sample.h"

namespace simmim {

Sampler::Sampler(const LoaderOptions& options)
    : options_(options),
      interpolation_(options.augment.interpolation == "bicubic" ? Interpolation::bicubic : Interpolation::bilinear) {
  const std::string& text = options.perturb.randaugment;
  if (!text.empty()) policy_ = RandAugment::parse(text, "augment.randaugment");
}

void Sampler::operator()(const Image& image, int64_t epoch, int64_t index, Tools& tools, uint8_t* pixels,
                         std::vector<Erasure>& erasures) const {
  const int64_t size = options_.image_size, stride = image.w * 3;
  if (!options_.augment.enabled) {
    const CentreCrop crop = centre_crop(image.h, image.w, size, options_.eval_crop);
    tools.resize({image.rgb.data(), image.h, image.w, stride}, interpolation_,
                 {.h = crop.resized_h,
                  .w = crop.resized_w,
                  .top = crop.top,
                  .left = crop.left,
                  .window_h = size,
                  .window_w = size},
                 pixels);
    return;
  }
  Rng crop_stream = stream("crop", epoch, index);
  const Crop crop = sample_crop(options_.augment, image.h, image.w, crop_stream);
  tools.resize({image.rgb.data() + crop.top * stride + crop.left * 3, crop.h, crop.w, stride}, interpolation_,
               {.h = size, .w = size, .window_h = size, .window_w = size, .flip = crop.flip}, pixels);

  const PerturbOptions& perturb = options_.perturb;
  const Planes planes{pixels, size, size};
  if (policy_) {
    Rng rng = stream("randaugment", epoch, index);
    rand_augment(*policy_, {options_.fill, interpolation_}, planes, rng, tools.scratch);
  } else if (perturb.color_jitter > 0) {
    Rng rng = stream("color jitter", epoch, index);
    color_jitter(perturb.color_jitter, planes, rng);
  }
  if (perturb.erasing > 0) {
    Rng rng = stream("erasing", epoch, index);
    erasures = draw_erasures(perturb, size, size, rng);
  }
}

}  // namespace simmim
