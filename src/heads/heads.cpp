#include "heads/heads.h"

#include "heads/inverse_swin.h"
#include "heads/linear.h"
#include "heads/mlp.h"

namespace simmim {
namespace {

template <class V>
HeadFamily::value_type row(const char* name, const char* help) {
  return variant<V, Head, const Scope&, const FeatureShape&, const PredictionShape&>(name, help);
}

}  // namespace

const HeadFamily& heads() {
  static const HeadFamily family = {
      row<LinearHead>("linear", "one linear layer a cell (the paper's choice)"),
      row<MlpHead>("mlp", "two layers a cell"),
      row<InverseSwinHead>("inverse_swin", "Swin the other way round: stages from the cells back to patches"),
  };
  return family;
}

}  // namespace simmim
