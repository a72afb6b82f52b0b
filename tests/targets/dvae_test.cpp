// The golden values are PyTorch's own, by scripts/golden/dvae.py.
#include "targets/dvae.h"

#include <gtest/gtest.h>

#include "core/json.h"
#include "layers/tensor_views.h"
#include "temporary.h"

namespace simmim {
namespace {

const fs::path kTests = fs::path(SIMMIM_SOURCE_DIR) / "tests/targets";
const ModelContext kDoubles = {.dtype = at::kDouble};

// images of scripts/golden/dvae.py
Tensor pictures(int64_t n, int64_t side) {
  return ((at::arange(n * 3 * side * side, at::kDouble) * 0.7).sin() * 0.5 + 0.5).view({n, 3, side, side});
}

void expect_near(const Tensor& got, const Json& wanted, int64_t every = 1) {
  const Tensor flat = got.contiguous().flatten();
  ASSERT_EQ(static_cast<size_t>((flat.numel() + every - 1) / every), wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i)
    ASSERT_NEAR(flat[static_cast<int64_t>(i) * every].item<double>(), wanted[i].get<double>(), 1e-9) << i;
}

TEST(Dvae, GivesTheLogitsOfThePublishedDefinition) {
  const Json golden = read_json_file(kTests / "dvae.json");
  for (const auto& [name, batch, tokens] :
       {std::tuple{"encoder.pkl", 2, 2}, {"encoder_legacy.pkl", 1, 4}, {"dvae.safetensors", 2, 2}}) {
    const auto dvae = load_dvae(kTests / "files" / name, kDoubles);
    const int64_t side = golden[name]["side"];
    const Tensor logits = (*dvae->encoder)(pictures(batch, side));
    EXPECT_EQ(logits.sizes(), (at::IntArrayRef{batch, dvae->sizes.vocabulary, tokens, tokens})) << name;
    expect_near(logits, golden[name]["logits"]);
  }
}

TEST(Dvae, DecodesAsThePublishedDefinition) {
  const Json golden = read_json_file(kTests / "dvae.json")["dvae.safetensors"];
  const auto dvae = load_dvae(kTests / "files/dvae.safetensors", kDoubles);
  const Tensor logits = (*dvae->encoder)(pictures(2, 8)), tokens = logits.argmax(1);
  expect_near(tokens.to(at::kDouble), golden["tokens"]);
  expect_near((*dvae->decoder)(logits.softmax(1)), golden["decoded"], 7);
  expect_near(dvae->decoder->pixels(tokens), golden["pixels"], 5);
}

TEST(Dvae, HasTheParametersOfDallEAtItsSizes) {
  const DvaeSizes published{.hidden = 256, .groups = 4, .blocks = 2, .vocabulary = 8192, .start = 128};
  const Dvae encoder(published, Dvae::Parts::encoder, {.device = at::kMeta});
  EXPECT_EQ(count_elements(encoder.parameters), 53786240);
  EXPECT_EQ(encoder.parameters.front().first, "blocks.input.w");
  EXPECT_EQ(published.stride(), 8);
  const Dvae both(published, Dvae::Parts::both, {.device = at::kMeta});
  EXPECT_EQ(count_elements(both.parameters) - 53786240, 43829766);
}

TEST(Dvae, OfAnIncompleteFileNamesWhatIsWrongWithIt) {
  const Temporary folder;
  const TensorFile whole = TensorFile::open(kTests / "files/dvae.safetensors");
  const auto refusal = [&](const std::function<void(NamedViews&)>& change) {
    NamedViews tensors = whole.tensors();
    change(tensors);
    write_safetensors(folder / "changed.safetensors", tensors);
    const std::string message =
        error_of(Code::data, [&] { load_dvae(folder / "changed.safetensors", {.device = at::kMeta}); });
    EXPECT_EQ(message.find((folder / "changed.safetensors").string() + ": "), 0u) << message;
    return message;
  };
  const auto find = [](NamedViews& tensors, const std::string& name) {
    return std::find_if(tensors.begin(), tensors.end(), [&](const auto& entry) { return entry.first == name; });
  };
  const auto expect_part = [](const std::string& text, const std::string& part) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  };
  const std::string conv = "blocks.group_2.block_1.res_path.conv_2.w";
  expect_part(refusal([&](NamedViews& t) { t.erase(find(t, conv)); }), "1 missing (" + conv + ")");
  expect_part(refusal([&](NamedViews& t) {
                find(t, conv)->second.shape = {2, 2, 9, 1};
              }),
              "1 of another shape (" + conv + " is [2, 2, 9, 1], not [2, 2, 3, 3])");
  expect_part(refusal([&](NamedViews& t) { t.emplace_back("stranger", t[0].second); }), "1 unexpected (stranger)");
  expect_part(refusal([&](NamedViews& t) { t.erase(find(t, "decoder.blocks.input.b")); }),
              "1 missing (decoder.blocks.input.b)");
  expect_part(refusal([&](NamedViews& t) { t.erase(find(t, "blocks.input.w")); }), "it lacks blocks.input.w");
  expect_part(
      refusal([&](NamedViews& t) { find(t, "blocks.input.w")->first = "x", t.back().first = "blocks.input.w"; }),
      "this is no encoder of a discrete VAE");
}

}  // namespace
}  // namespace simmim
