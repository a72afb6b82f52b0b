#include "targets/targets.h"

#include "targets/pixels.h"

namespace simmim {

const TargetFamily& targets() {
  static const TargetFamily family = {
      variant<Pixels, Target, int64_t>("pixels", "normalised colour values"),
  };
  return family;
}

}  // namespace simmim
