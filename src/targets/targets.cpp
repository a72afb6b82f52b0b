#include "targets/targets.h"

#include "targets/color_bins.h"
#include "targets/color_clusters.h"
#include "targets/dvae_tokens.h"
#include "targets/pixels.h"

namespace simmim {
namespace {

template <class V>
TargetFamily::value_type row(const char* name, const char* help) {
  return variant<V, Target, const TargetSite&>(name, help);
}

}  // namespace

const TargetFamily& targets() {
  static const TargetFamily family = {
      row<Pixels>("pixels", "normalised colour values"),
      row<ColorBins>("color_bins", "each channel as one of equal bins"),
      row<ColorClusters>("color_clusters", "each pixel as the nearest of K colours"),
      row<DvaeTokens>("dvae_tokens", "tokens of a discrete VAE (BEiT's target)"),
  };
  return family;
}

}  // namespace simmim
