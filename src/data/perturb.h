// What is done to a training image beside crop and flip, by timm's definitions: RandAugment or colour jitter on its
// bytes, and rectangles that are erased once it is normalised.
#pragma once
#include <string>
#include <vector>

#include "core/fields.h"
#include "data/rand_augment.h"

namespace simmim {

// Of "finetune.augment". All off by default; the official fine-tuning has rand-m9-mstd0.5-inc1 and erasing 0.25.
struct PerturbOptions {
  std::string randaugment;
  double color_jitter = 0;
  double erasing = 0;
  std::string erasing_mode = "pixel";
  int64_t erasing_count = 1;
  std::vector<double> erasing_area = {0.02, 1.0 / 3.0};
  std::vector<double> erasing_aspect = {0.3, 1 / 0.3};

  static void fields(auto& o, auto&& visit) {
    visit(
        "randaugment", o.randaugment,
        "RandAugment as timm writes it, for example rand-m9-mstd0.5-inc1: magnitude m (10), operations an image n (2), "
        "probability of each p (0.5), deviation of the magnitude mstd (0), inc1: stronger with the magnitude; empty: "
        "off");
    visit("color_jitter", o.color_jitter,
          "brightness, contrast and saturation change by up to this share, in random order; 0: off; ignored beside "
          "randaugment, as in timm",
          FieldRule{.min = 0});
    visit("erasing", o.erasing, "probability that rectangles of an image are erased after normalisation; 0: off",
          FieldRule{.min = 0, .max = 1});
    visit("erasing_mode", o.erasing_mode,
          "what replaces them: pixel (normal noise), rand (one normal colour) or const (the mean colour)",
          FieldRule{.choices = {"pixel", "rand", "const"}});
    visit("erasing_count", o.erasing_count, "most rectangles an image; they share the area", FieldRule{.min = 1});
    visit("erasing_area", o.erasing_area, "smallest and largest share of the image's area that they cover",
          FieldRule{.min = 0, .max = 1});
    visit("erasing_aspect", o.erasing_aspect, "smallest and largest height/width of a rectangle",
          FieldRule{.min = 0.01, .max = 100});
  }
};

// The policy can be read and pairs have two numbers, the smaller first; `path` opens the message ("finetune.augment").
void check_perturb(const PerturbOptions& options, const std::string& path);

// timm/data/transforms_factory.py: round(255 * mean) a channel, for what moves out of the image.
std::array<uint8_t, 3> fill_of(const std::array<double, 3>& mean);

// torchvision's ColorJitter(amount, amount, amount): the order of the three, then their factors in [1 - amount, 1 +
// amount].
void color_jitter(double amount, const Planes& image, Rng& rng);

// A rectangle to be overwritten in the normalised image.
struct Erasure {
  int64_t top = 0, left = 0, h = 0, w = 0;
  std::vector<float> values;  // (3,h,w), or (3) for one colour
};

// timm's RandomErasing (timm/data/random_erasing.py) for an image of h x w: none, or up to erasing_count rectangles.
std::vector<Erasure> draw_erasures(const PerturbOptions& options, int64_t h, int64_t w, Rng& rng);

}  // namespace simmim
