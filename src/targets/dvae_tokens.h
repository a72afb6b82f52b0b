// Tokens of a discrete VAE: each square of the image as one word of a vocabulary (BEiT's target).
#pragma once
#include <memory>

#include "core/fields.h"
#include "targets/dvae.h"
#include "targets/target.h"

namespace simmim {

class DvaeTokens : public Target {
 public:
  struct Options {
    std::string tokenizer;
    std::optional<int64_t> resolution;
    static void fields(auto& o, auto&& visit) {
      visit("tokenizer", o.tokenizer,
            "needed: the file that holds the discrete VAE, of simmim data train-dvae or DALL-E's encoder.pkl; if it "
            "has a "
            "decoder, sheets show what tokens stand for, else grey",
            FieldRule{.file = true});
      visit("resolution", o.resolution,
            "tokens a side; auto: image size / pixels that a token covers, or the next number of whole tokens for each "
            "feature cell. The tokenizer sees the image resized (bicubic, antialiased; BEiT's is Lanczos) to fit, as "
            "BEiT's "
            "sees it at half size",
            FieldRule{.min = 1});
    }
  };

  // The tokenizer's weights are read once, in the context's number type on its device; they are frozen.
  DvaeTokens(const Options& options, const TargetSite& site);

  // The likeliest tokens of the images' colours, without a gradient and in full precision.
  Tensor of(const Tensor& images) const override;
  int64_t resolution() const override { return resolution_; }
  int64_t channels() const override { return 1; }
  int64_t classes() const override { return dvae_->sizes.vocabulary; }
  Tensor draw(const Tensor& prediction, const Tensor& images) const override;  // what the likeliest tokens decode to

 private:
  std::unique_ptr<Dvae> dvae_;
  int64_t resolution_;
  ColorScale scale_;
};

}  // namespace simmim
