// AdamW's options, of every training.
#pragma once
#include "core/fields.h"

namespace simmim {

struct OptimizerOptions {
  double weight_decay = 0.05;
  std::vector<double> betas = {0.9, 0.999};
  double eps = 1e-8;
  double clip_norm = 5;

  static void fields(auto& o, auto&& visit) {
    visit("weight_decay", o.weight_decay, "AdamW's decoupled weight decay", FieldRule{.min = 0});
    visit("betas", o.betas, "AdamW's two averaging factors", FieldRule{.min = 0, .max = 1});
    visit("eps", o.eps, "AdamW's epsilon", FieldRule{.min = 0});
    visit("clip_norm", o.clip_norm, "largest global gradient norm; 0: no clipping", FieldRule{.min = 0});
  }
};

}  // namespace simmim
