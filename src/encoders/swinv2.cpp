#include "encoders/swinv2.h"

namespace simmim {

void Swinv2::Options::settle(int64_t image_size) {
  Swin::Options::settle(image_size);
  if (!pretrained_window.empty()) return;
  for (size_t stage = 0; stage < depths.size(); ++stage)
    pretrained_window.push_back(std::min(*window, image_size / (patch << stage)));
}

Swinv2::Swinv2(const Options& o, const Scope& scope, const EncoderSite& site)
    : Swin(o, scope, site, SwinVersion::two, o.pretrained_window) {}

// As with the tables of the first version: the official keywords match nothing in pre-training
// (swin_transformer_v2.py no_weight_decay_keywords, models/simmim.py).
bool Swinv2::skips_decay(std::string_view name, Stage stage) const {
  const auto holds = [&](std::string_view keyword) { return name.find(keyword) != std::string_view::npos; };
  return Swin::skips_decay(name, stage) || (stage == Stage::finetune && (holds("cpb_mlp") || holds("logit_scale")));
}

}  // namespace simmim
