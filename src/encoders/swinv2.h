// Swin V2 (Liu et al., CVPR 2022; Swin-Transformer swin_transformer_v2.py, models/simmim.py): Swin's layout with the
// blocks of layers/cosine_block.h and the norm after the merges' reduction.
#pragma once
#include "encoders/swin.h"

namespace simmim {

class Swinv2 : public Swin {
 public:
  struct Options : Swin::Options {
    std::vector<int64_t> pretrained_window;
    Options() { preset = "swinv2_nano"; }
    static void fields(auto& o, auto&& visit) {
      visit("preset", o.preset, "sizes by name; every one of them can be overridden",
            FieldRule{.choices = {"swinv2_nano", "swinv2_tiny", "swinv2_small", "swinv2_base", "swinv2_large"}});
      shared_fields(o, visit);
      visit(
          "pretrained_window", o.pretrained_window,
          "window of each stage in pre-training, by which the bias measures distances; kept in fine-tuning at another "
          "size; empty: the windows as they are",
          FieldRule{.min = 0});
    }
    void settle(int64_t image_size);
  };

  Swinv2(const Options& options, const Scope& scope, const EncoderSite& site);

 protected:
  bool skips_decay(std::string_view name, Stage stage) const override;
};

}  // namespace simmim
