// Each colour channel as one of N equal bins: a classification per channel (SimMIM's 8 and 256 bins).
#pragma once
#include "core/fields.h"
#include "targets/target.h"

namespace simmim {

// The option that the targets of classes share; the paper names no resolution for them.
struct ClassResolution {
  std::optional<int64_t> resolution;
  static void fields(auto& o, auto&& visit) {
    visit("resolution", o.resolution,
          "target pixels a side, each the class of the mean colour of a square (the paper does not say: averaged, then "
          "classified); auto: an eighth of the image's, or the next that divides the image into whole squares for each "
          "feature cell",
          FieldRule{.min = 1});
  }
  int64_t fit_to(const TargetSite& site) const { return fit_resolution(resolution, (site.image_size + 7) / 8, site); }
};

class ColorBins : public Target {
 public:
  struct Options : ClassResolution {
    int64_t bins = 8;
    static void fields(auto& o, auto&& visit) {
      ClassResolution::fields(o, visit);
      visit("bins", o.bins, "equal bins of 0..255, for each of the three channels", FieldRule{.min = 2, .max = 65536});
    }
  };

  ColorBins(const Options& options, const TargetSite& site);

  // Colours are averaged, then bin = min(bins - 1, floor(v * bins / 256)) of each 8-bit value v.
  Tensor of(const Tensor& images) const override;
  int64_t resolution() const override { return resolution_; }
  int64_t channels() const override { return 3; }
  int64_t classes() const override { return bins_; }
  Tensor draw(const Tensor& prediction, const Tensor& images) const override;  // middles of the likeliest bins

 private:
  int64_t resolution_, bins_;
  ColorScale scale_;
};

}  // namespace simmim
