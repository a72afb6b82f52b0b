// Which rectangle of an image becomes the square that the encoder sees: random resized crop and flip for training,
// short side and centre crop for evaluation. The rules are torchvision's, the random numbers come from counters.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "core/fields.h"
#include "core/rng.h"

namespace simmim {

// A block of a stage ("pretrain.augment"); fine-tuning sets other defaults (crop_scale 0.08 to 1, bicubic).
struct AugmentOptions {
  bool enabled = true;
  std::vector<double> crop_scale = {0.67, 1.0};
  std::vector<double> crop_ratio = {3.0 / 4.0, 4.0 / 3.0};
  double flip = 0.5;
  std::string interpolation = "bilinear";

  static void fields(auto& o, auto&& visit) {
    visit("enabled", o.enabled, "false: the evaluation's centre crop, and nothing else is done");
    visit("crop_scale", o.crop_scale, "smallest and largest share of the image's area that a crop covers",
          {.min = 0.001, .max = 1});
    visit("crop_ratio", o.crop_ratio, "smallest and largest width/height of a crop", {.min = 0.01, .max = 100});
    visit("flip", o.flip, "probability of a left-right flip", {.min = 0, .max = 1});
    visit("interpolation", o.interpolation, "how pixels are resampled, for training and evaluation alike",
          {.choices = {"bilinear", "bicubic"}});
  }
};

// Two numbers, the smaller first; `path` opens the message ("pretrain.augment.crop_scale").
void check_pair(const std::vector<double>& pair, const std::string& path);
void check_augment(const AugmentOptions& options, const std::string& path);  // its pairs

// A rectangle of an image in pixels, and whether it is mirrored.
struct Crop {
  int64_t top = 0, left = 0, h = 0, w = 0;
  bool flip = false;
};

// RandomResizedCrop and RandomHorizontalFlip (torchvision/transforms/transforms.py, get_params): the area is uniform in
// crop_scale, the width/height log-uniform in crop_ratio; ten tries, then the largest centre crop of an allowed ratio.
Crop sample_crop(const AugmentOptions& options, int64_t h, int64_t w, Rng& rng);

// Evaluation (SimMIM data_finetune.py:97-113): resize the short side to int(size / share), then the centre size x size.
// resized_*: the size of the whole image after the resize; top, left: where the square lies in it.
struct CentreCrop {
  int64_t resized_h = 0, resized_w = 0, top = 0, left = 0;
};
CentreCrop centre_crop(int64_t h, int64_t w, int64_t size, double share);

}  // namespace simmim
