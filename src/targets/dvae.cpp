#include "targets/dvae.h"

#include <cmath>
#include <cstdio>

#include "layers/tensor_views.h"
#include "weights/adapt.h"

namespace simmim {
namespace {

constexpr std::array<int64_t, 4> kEncoderSides = {3, 3, 3, 1}, kDecoderSides = {1, 3, 3, 3};
constexpr int64_t kInputSide = 7;
constexpr double kTail = 4;  // standard deviations beyond which an initial weight is drawn again

// widths: of what comes into the first group, then of each group.
std::vector<std::vector<DvaeBlock>> make_groups(const Scope& scope, const std::vector<int64_t>& widths, int64_t blocks,
                                                const std::array<int64_t, 4>& sides) {
  const auto total = static_cast<double>(widths.size() - 1) * static_cast<double>(blocks);
  std::vector<std::vector<DvaeBlock>> groups;
  for (size_t g = 1; g < widths.size(); ++g) {
    std::vector<DvaeBlock>& group = groups.emplace_back();
    for (int64_t b = 0; b < blocks; ++b)
      group.emplace_back(scope / fmt::format("group_{}", g) / fmt::format("block_{}", b + 1),
                         b == 0 ? widths[g - 1] : widths[g], widths[g], sides, 1 / (total * total));
  }
  return groups;
}

// Encoder: hidden, 2 hidden, 4 hidden ...; decoder: the same downwards.
std::vector<int64_t> encoder_widths(const DvaeSizes& sizes) {
  std::vector<int64_t> widths = {sizes.hidden};
  for (int64_t g = 0; g < sizes.groups; ++g) widths.push_back(sizes.hidden << g);
  return widths;
}
std::vector<int64_t> decoder_widths(const DvaeSizes& sizes) {
  std::vector<int64_t> widths = {sizes.start};
  for (int64_t g = sizes.groups; g-- > 0;) widths.push_back(sizes.hidden << g);
  return widths;
}

}  // namespace

DvaeConv::DvaeConv(const Scope& scope, int64_t in, int64_t out, int64_t side) {
  const double std = 1 / std::sqrt(static_cast<double>(in * side * side));
  w = scope.make("w", {out, in, side, side}, truncated_normal(std, kTail * std));
  b = scope.make("b", {out}, constant(0));
}

Tensor DvaeConv::operator()(const Tensor& x) const {
  const int64_t border = w.size(2) / 2;
  return at::conv2d(x, w, b, {1, 1}, at::IntArrayRef{border, border});
}

DvaeBlock::DvaeBlock(const Scope& scope, int64_t in, int64_t out, const std::array<int64_t, 4>& sides,
                     double block_gain)
    : gain(block_gain) {
  if (in != out) identity.emplace(scope / "id_path", in, out, 1);
  const std::array<int64_t, 5> widths = {in, out / 4, out / 4, out / 4, out};
  for (size_t i = 0; i < sides.size(); ++i)
    convs.emplace_back(scope / "res_path" / fmt::format("conv_{}", i + 1), widths[i], widths[i + 1], sides[i]);
}

Tensor DvaeBlock::operator()(const Tensor& x) const {
  Tensor branch = x;
  for (const DvaeConv& conv : convs) branch = conv(branch.relu());
  return at::add(identity ? (*identity)(x) : x, branch, gain);
}

DvaeEncoder::DvaeEncoder(const Scope& scope, const DvaeSizes& sizes)
    : input_(scope / "blocks" / "input", 3, sizes.hidden, kInputSide),
      groups_(make_groups(scope / "blocks", encoder_widths(sizes), sizes.blocks, kEncoderSides)),
      output_(scope / "blocks" / "output" / "conv", sizes.hidden << (sizes.groups - 1), sizes.vocabulary, 1) {}

Tensor DvaeEncoder::operator()(const Tensor& pixels) const {
  Tensor x = input_(map_pixels(pixels));
  for (size_t g = 0; g < groups_.size(); ++g) {
    if (g > 0) x = at::max_pool2d(x, {2, 2});
    for (const DvaeBlock& block : groups_[g]) x = block(x);
  }
  return output_(x.relu());
}

DvaeDecoder::DvaeDecoder(const Scope& scope, const DvaeSizes& sizes)
    : input_(scope / "blocks" / "input", sizes.vocabulary, sizes.start, 1),
      groups_(make_groups(scope / "blocks", decoder_widths(sizes), sizes.blocks, kDecoderSides)),
      output_(scope / "blocks" / "output" / "conv", sizes.hidden, 6, 1) {}

Tensor DvaeDecoder::operator()(const Tensor& shares) const { return from_input(input_(shares)); }

Tensor DvaeDecoder::pixels(const Tensor& tokens) const {
  const Tensor rows = input_.w.flatten(1).t().index_select(0, tokens.flatten()) + input_.b;  // (B*h*w,start)
  const Tensor x = rows.view({tokens.size(0), tokens.size(1), tokens.size(2), -1}).permute({0, 3, 1, 2});
  return unmap_pixels(from_input(x.contiguous())).clamp(0, 1);
}

Tensor DvaeDecoder::from_input(Tensor x) const {
  for (size_t g = 0; g < groups_.size(); ++g) {
    if (g > 0) x = at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)});
    for (const DvaeBlock& block : groups_[g]) x = block(x);
  }
  return output_(x.relu());
}

Tensor unmap_pixels(const Tensor& decoded) { return (decoded.slice(1, 0, 3).sigmoid() - 0.1) / 0.8; }

Dvae::Dvae(const DvaeSizes& dvae_sizes, Parts parts, const ModelContext& context) : sizes(dvae_sizes) {
  const Scope scope(parameters, context);
  encoder.emplace(scope, sizes);
  if (parts == Parts::both) decoder.emplace(scope / "decoder", sizes);
}

namespace {

// Groups and blocks by the names, the rest by the shapes of the outermost tensors.
DvaeSizes sizes_of(const TensorFile& file) {
  const auto four = [&](const char* name) {
    const TensorView* tensor = file.find(name);
    return tensor != nullptr && tensor->shape.size() == 4 ? tensor : nullptr;
  };
  const TensorView *input = four("blocks.input.w"), *output = four("blocks.output.conv.w");
  if (input == nullptr || output == nullptr || input->shape[1] != 3)
    fail(Code::data,
         "{}: this is no encoder of a discrete VAE: {}; give DALL-E's encoder.pkl or a file of simmim data train-dvae",
         file.path().string(),
         input != nullptr && input->shape[1] != 3
             ? fmt::format("blocks.input.w takes {} channels instead of 3, as a decoder's does", input->shape[1])
             : "it lacks blocks.input.w or blocks.output.conv.w");
  DvaeSizes sizes{.hidden = input->shape[0], .groups = 1, .blocks = 1, .vocabulary = output->shape[0]};
  for (const auto& [name, tensor] : file.tensors()) {
    int group = 0, block = 0;
    if (std::sscanf(name.c_str(), "blocks.group_%d.block_%d.", &group, &block) != 2) continue;
    sizes.groups = std::max<int64_t>(sizes.groups, group);
    sizes.blocks = std::max<int64_t>(sizes.blocks, block);
  }
  if (const TensorView* start = four("decoder.blocks.input.w")) sizes.start = start->shape[0];
  DvaeSizes checked;
  read_fields(checked, write_fields(sizes), file.path().string());
  return checked;
}

}  // namespace

std::unique_ptr<Dvae> load_dvae(const fs::path& path, const ModelContext& context) {
  const TensorFile file = TensorFile::open(path);
  const DvaeSizes sizes = sizes_of(file);
  const Dvae::Parts parts = file.find("decoder.blocks.input.w") != nullptr ? Dvae::Parts::both : Dvae::Parts::encoder;
  std::vector<Wanted> wanted;
  for (const auto& [name, tensor] : Dvae(sizes, parts, {.device = at::kMeta}).parameters)
    wanted.push_back({name, tensor.sizes().vec()});
  const Adapted found = adapt(file.tensors(), wanted);
  require_complete(found, path.string(), {}, {}, "give DALL-E's encoder.pkl or a file of simmim data train-dvae");
  auto dvae = std::make_unique<Dvae>(sizes, parts, context);
  const at::NoGradGuard no_grad;
  for (size_t i = 0; i < wanted.size(); ++i) {
    Tensor parameter = dvae->parameters[i].second;
    parameter.set_requires_grad(false);
    if (!context.device.is_meta()) parameter.copy_(borrow_tensor(found.tensors[i].second));
  }
  return dvae;
}

}  // namespace simmim
