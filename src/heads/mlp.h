// Two layers with a GELU between them (the paper's Table 2; a hidden width of 1024 gives its 90.9M parameters).
#pragma once
#include "core/fields.h"
#include "heads/head.h"

namespace simmim {

class MlpHead : public Head {
 public:
  struct Options {
    int64_t hidden = 1024;
    static void fields(auto& o, auto&& visit) {
      visit("hidden", o.hidden, "width of the hidden layer; the paper does not say, 1024 gives its parameters",
            FieldRule{.min = 1});
    }
  };

  // Names "0.*" and "2.*" in `scope`, both 1x1 convolutions.
  MlpHead(const Options& options, const Scope& scope, const FeatureShape& features, const PredictionShape& prediction);
  Tensor forward(const Tensor& features) const override;
  double flops() const override { return 2 * static_cast<double>(first_.numel() + second_.numel()); }

 private:
  int64_t side_;
  Tensor first_, first_bias_, second_, second_bias_;
};

}  // namespace simmim
