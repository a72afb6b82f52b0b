// A target: what is to be predicted of an image.
#pragma once
#include <array>
#include <optional>

#include "core/shapes.h"
#include "layers/scope.h"

namespace simmim {

// What a target is built for.
struct TargetSite {
  int64_t image_size = 0;                             // S
  int64_t cells = 1;                                  // feature cells a side; a head predicts whole cells
  std::array<double, 3> mean{0, 0, 0}, std{1, 1, 1};  // an image holds (v / 255 - mean) / std of 8-bit colours v
  ModelContext context = {};
};

class Target {
 public:
  virtual ~Target() = default;

  // images (B,3,S,S) normalised -> (B,channels,r,r) values; or, if classes() > 0, (B,channels,r,r) int64 classes.
  virtual Tensor of(const Tensor& images) const = 0;

  virtual int64_t resolution() const = 0;        // r, target pixels a side
  virtual int64_t channels() const = 0;          // values a target pixel
  virtual int64_t classes() const { return 0; }  // 0: values; n: each of the channels is one of n classes

  // What was fitted and is not trained with the model, by the names under which checkpoints hold it ("target....").
  virtual NamedTensors constants() const { return {}; }

  // prediction (B,channels,r,r), or (B,channels*classes,r,r) logits; images (B,3,S,S) that it was made for ->
  // normalised colours (B,3,n,n) to look at, where n divides S.
  virtual Tensor draw(const Tensor& prediction, const Tensor& images) const = 0;
};

// The option target.resolution: `asked`, which must divide the image and be a multiple of the cells (usage error with
// those that do), or the smallest such number from `at_least` on.
int64_t fit_resolution(const std::optional<int64_t>& asked, int64_t at_least, const TargetSite& site);

// images (B,C,S,S) -> (B,C,r,r), each the mean of a square (the paper does not name its kernel; the mean is exactly
// aligned).
Tensor average_squares(const Tensor& images, int64_t resolution);

// Logits (B,channels*classes,r,r) -> (B,channels,r,r), the likeliest classes.
Tensor likeliest(const Tensor& logits, int64_t channels);

// Between normalised images and the 8-bit colours that they were made of.
class ColorScale {
 public:
  explicit ColorScale(const TargetSite& site);
  Tensor bytes(const Tensor& images) const;      // (B,3,S,S) normalised -> 0..255, whole numbers
  Tensor normalised(const Tensor& bytes) const;  // back, from any numbers

 private:
  Tensor factor_, shift_;  // (1,3,1,1): bytes = images * factor + shift
};

}  // namespace simmim
