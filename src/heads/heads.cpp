#include "heads/heads.h"

#include "heads/linear.h"
#include "heads/mlp.h"

namespace simmim {

const HeadFamily& heads() {
  static const HeadFamily family = {
      variant<LinearHead, Head, const Scope&, const FeatureShape&, const PredictionShape&>(
          "linear", "one linear layer a cell (the paper's choice)"),
      variant<MlpHead, Head, const Scope&, const FeatureShape&, const PredictionShape&>("mlp", "two layers a cell"),
  };
  return family;
}

}  // namespace simmim
