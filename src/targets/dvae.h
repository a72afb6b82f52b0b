// The discrete VAE of DALL-E (Ramesh et al., 2021): an encoder from pixels to one token of a vocabulary for each square
// of stride x stride pixels, and a decoder back. Layout, names and initial values are openai/DALL-E's
// (dall_e/encoder.py, decoder.py, utils.py), at any size.
#pragma once
#include <array>
#include <optional>
#include <vector>

#include "core/fields.h"
#include "layers/scope.h"
#include "weights/tensor_file.h"

namespace simmim {

// The published one is {256, 4, 2, 8192, 128}; the defaults suit images of 32 pixels.
struct DvaeSizes {
  int64_t hidden = 32, groups = 3, blocks = 2, vocabulary = 512, start = 64;

  static void fields(auto& o, auto&& visit) {
    visit("hidden", o.hidden, "channels of the first group, doubled in each next one (DALL-E: 256)",
          FieldRule{.min = 4, .max = 4096});
    visit("groups", o.groups,
          "groups of blocks, with halved resolution between them: a token covers 2^(groups-1) pixels "
          "a side (DALL-E: 4, so 8 pixels)",
          FieldRule{.min = 1, .max = 8});
    visit("blocks", o.blocks, "residual blocks a group (DALL-E: 2)", FieldRule{.min = 1, .max = 64});
    visit("vocabulary", o.vocabulary, "tokens to choose from (DALL-E: 8192)", FieldRule{.min = 2, .max = 1 << 20});
    visit("start", o.start, "channels that the decoder makes of a token (DALL-E: 128)",
          FieldRule{.min = 1, .max = 4096});
  }
  int64_t stride() const { return int64_t{1} << (groups - 1); }  // pixels a side that a token stands for
};

struct DvaeConv {
  Tensor w;  // (out,in,k,k), k odd: the picture keeps its size
  Tensor b;  // (out)
  DvaeConv(const Scope& scope, int64_t in, int64_t out, int64_t side);
  Tensor operator()(const Tensor& x) const;  // (B,in,h,w) -> (B,out,h,w)
};

// identity(x) + gain * four convolutions, a ReLU before each.
struct DvaeBlock {
  std::optional<DvaeConv> identity;  // where the channels change
  std::vector<DvaeConv> convs;
  double gain;  // 1 / (blocks of the network)^2
  DvaeBlock(const Scope& scope, int64_t in, int64_t out, const std::array<int64_t, 4>& sides, double block_gain);
  Tensor operator()(const Tensor& x) const;
};

class DvaeEncoder {
 public:
  DvaeEncoder(const Scope& scope, const DvaeSizes& sizes);
  // pixels (B,3,H,W) in [0,1] -> logits (B,vocabulary,H/stride,W/stride)
  Tensor operator()(const Tensor& pixels) const;

 private:
  DvaeConv input_;
  std::vector<std::vector<DvaeBlock>> groups_;
  DvaeConv output_;
};

class DvaeDecoder {
 public:
  DvaeDecoder(const Scope& scope, const DvaeSizes& sizes);
  // Each cell's shares of the tokens (B,vocabulary,h,w) -> (B,6,h*stride,w*stride): of each colour, as map_pixels() has
  // it, the logit's mean, then the logarithm of its scale (a logit-Laplace distribution).
  Tensor operator()(const Tensor& shares) const;
  Tensor pixels(const Tensor& tokens) const;  // tokens (B,h,w) int64 -> (B,3,h*stride,w*stride) in [0,1]

 private:
  Tensor from_input(Tensor x) const;

  DvaeConv input_;
  std::vector<std::vector<DvaeBlock>> groups_;
  DvaeConv output_;
};

// Pixels in [0,1] keep away from the ends, where the logit is infinite: 0.8 x + 0.1 (dall_e/utils.py map_pixels).
inline Tensor map_pixels(const Tensor& pixels) { return pixels * 0.8 + 0.1; }
// The decoder's six channels -> pixels (B,3,H,W), in [0,1] or a little beyond.
Tensor unmap_pixels(const Tensor& decoded);

struct Dvae {
  DvaeSizes sizes;
  NamedTensors parameters;  // the encoder's under the published names, the decoder's the same with "decoder." before
  std::optional<DvaeEncoder> encoder;
  std::optional<DvaeDecoder> decoder;

  enum class Parts { encoder, both };
  Dvae(const DvaeSizes& dvae_sizes, Parts parts, const ModelContext& context);
  Dvae(const Dvae&) = delete;
  Dvae& operator=(const Dvae&) = delete;
};

// A trained one, frozen, of a file of `data train-dvae` or the published encoder (encoder.pkl, or its tensors under the
// same names); its sizes are those of the tensors. Code::data for another file, or with the tensors that are missing,
// unexpected or of another shape.
std::unique_ptr<Dvae> load_dvae(const fs::path& file, const ModelContext& context);

}  // namespace simmim
