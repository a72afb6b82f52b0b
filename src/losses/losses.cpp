#include "losses/losses.h"

#include "losses/l1.h"
#include "losses/l2.h"
#include "losses/smooth_l1.h"

namespace simmim {

const LossFamily& losses() {
  static const LossFamily family = {
      variant<L1, Loss>("l1", "absolute difference (the paper's choice)"),
      variant<L2, Loss>("l2", "squared difference"),
      variant<SmoothL1, Loss>("smooth_l1", "squared near zero, absolute beyond"),
  };
  return family;
}

}  // namespace simmim
