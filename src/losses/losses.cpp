#include "losses/losses.h"

#include "losses/cross_entropy.h"
#include "losses/l1.h"
#include "losses/l2.h"
#include "losses/smooth_l1.h"

namespace simmim {

const LossFamily& losses() {
  static const LossFamily family = {
      variant<L1, Loss>("l1", "absolute difference (the paper's choice)"),
      variant<L2, Loss>("l2", "squared difference"),
      variant<SmoothL1, Loss>("smooth_l1", "squared near zero, absolute beyond"),
      variant<CrossEntropy, Loss>("cross_entropy",
                                  "for targets of classes: minus the logarithm of the right one's share"),
  };
  return family;
}

std::vector<std::string> losses_for(bool classes) {
  std::vector<std::string> names;
  for (const auto& row : losses())
    if (row.make(row.resolve(Json::object(), "loss"))->takes_classes() == classes) names.push_back(row.name);
  return names;
}

}  // namespace simmim
