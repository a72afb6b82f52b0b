#include "targets/pixels.h"

namespace simmim {

Pixels::Pixels(const Options& options, const TargetSite& site)
    : resolution_(fit_resolution(options.resolution, site.image_size, site)) {}

}  // namespace simmim
