#include "masks/random.h"

namespace simmim {

Mask RandomMask::generate(Rng& rng) const {
  Mask mask(static_cast<size_t>(grid().cells()), 0);
  hide_at_random(mask, hidden_, rng);
  return mask;
}

}  // namespace simmim
