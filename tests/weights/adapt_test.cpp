#include "weights/adapt.h"

#include <algorithm>
#include <cstring>

#include "temporary.h"

namespace simmim {
namespace {

// A classifier's wanted tensors, from an official one, with its tables at `rows`.
std::vector<Wanted> wanted_of(const TensorFile& model, int64_t table_rows = 0) {
  std::vector<Wanted> wanted;
  for (const auto& [name, tensor] : model.tensors()) {
    if (name.find("relative_position_index") != std::string::npos || name.find("attn_mask") != std::string::npos)
      continue;
    wanted.push_back({name, tensor.shape});
    if (table_rows > 0 && name.ends_with("relative_position_bias_table")) wanted.back().shape[0] = table_rows;
  }
  return wanted;
}

// Exactly the tensors of a golden file.
std::vector<Wanted> shapes_of(const std::string& name) {
  const TensorFile file = TensorFile::open(golden(name));
  std::vector<Wanted> wanted;
  for (const auto& [tensor_name, tensor] : file.tensors()) wanted.push_back({tensor_name, tensor.shape});
  return wanted;
}

const TensorView* find(const Adapted& adapted, const std::string& name) {
  const auto it = std::find_if(adapted.tensors.begin(), adapted.tensors.end(),
                               [&](const auto& entry) { return entry.first == name; });
  return it == adapted.tensors.end() ? nullptr : &it->second;
}

void expect_tables(const Adapted& adapted, const std::string& file, const std::string& only = "") {
  const TensorFile expected = TensorFile::open(golden(file));
  int compared = 0;
  for (const auto& [name, tensor] : expected.tensors()) {
    if (!name.ends_with("table") || !name.starts_with(only)) continue;
    const TensorView* got = find(adapted, name);
    ASSERT_NE(got, nullptr) << name;
    const std::vector<double> a = to_doubles(*got), b = to_doubles(tensor);
    ASSERT_EQ(a.size(), b.size()) << name;
    for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-6) << name << " " << i;
    ++compared;
  }
  EXPECT_GE(compared, 2);
}

TEST(Adapt, LoadsAPretrainedVitIntoAClassifierOfAnotherSizeAsTheOfficialCodeDoes) {
  const TensorFile given = TensorFile::open(golden("vit_pretrain.pth"));
  const Adapted adapted = adapt(given.tensors(), wanted_of(TensorFile::open(golden("vit_finetune_init.pth")), 124));
  expect_tables(adapted, "remap_vit_96.safetensors");
  EXPECT_EQ(adapted.missing, (std::vector<std::string>{"fc_norm.weight", "fc_norm.bias", "head.weight", "head.bias"}));
  EXPECT_EQ(adapted.unexpected, (std::vector<std::string>{"encoder.mask_token", "encoder.norm.weight",
                                                          "encoder.norm.bias", "decoder.0.weight", "decoder.0.bias"}));
  EXPECT_TRUE(adapted.mismatched.empty());
  EXPECT_EQ(adapted.resized.size(), 2u);
  EXPECT_TRUE(adapted.notes.empty());
  EXPECT_EQ(find(adapted, "blocks.1.mlp.fc1.weight")->bytes, given.find("encoder.blocks.1.mlp.fc1.weight")->bytes);
}

TEST(Adapt, ResizesTheTablesOfASwin) {
  const TensorFile given = TensorFile::open(golden("swin_p2_pretrain.pth"));
  const Adapted adapted = adapt(given.tensors(), shapes_of("remap_swin_p2_96_w6.safetensors"));
  expect_tables(adapted, "remap_swin_p2_96_w6.safetensors");
  EXPECT_EQ(adapted.missing, (std::vector<std::string>{"head.bias", "head.weight"}));
}

TEST(Adapt, TellsWhichTablesTheOfficialCodeCouldNotResize) {
  const TensorFile given = TensorFile::open(golden("swin_pretrain.pth"));
  const Adapted adapted = adapt(given.tensors(), shapes_of("remap_swin_96_w6.safetensors"));
  for (const char* stage : {"layers.0.", "layers.1.", "layers.2."})
    expect_tables(adapted, "remap_swin_96_w6.safetensors", stage);
  ASSERT_EQ(adapted.notes.size(), 2u);
  EXPECT_EQ(
      adapted.notes[0],
      "layers.3.blocks.0.attn.relative_position_bias_table: a table of 3x3 offsets is too small for the official cubic "
      "spline; the polynomial through its points was used");
}

// The weights with which the official fine-tuning curves begin were made by the official load_pretrained.
TEST(Adapt, GivesTheWeightsThatTheOfficialFineTuningStartsFrom) {
  for (const std::string encoder : {"vit", "swin"}) {
    const TensorFile given = TensorFile::open(golden(encoder + "_pretrain.pth")),
                     expected = TensorFile::open(golden(encoder + "_finetune_init.pth"));
    const Adapted adapted = adapt(given.tensors(), wanted_of(expected));
    EXPECT_GT(adapted.tensors.size(), 30u);
    for (const auto& [name, tensor] : adapted.tensors) EXPECT_EQ(tensor.bytes, expected.find(name)->bytes) << name;
    for (const std::string& name : adapted.missing)
      EXPECT_TRUE(name.starts_with("head.") || name.starts_with("fc_norm.")) << name;
    EXPECT_NO_THROW(
        require_complete(adapted, "file", {"head.", "fc_norm."}, {"encoder.mask_token", "encoder.norm.", "decoder."}));
  }
}

TEST(Adapt, LeavesAModelOfTheSameKindAsItIs) {
  for (const char* name : {"vit_pretrain.pth", "swin_pretrain.pth", "vit_finetune.pth", "swin_finetune.pth"}) {
    const TensorFile file = TensorFile::open(golden(name));
    const Adapted adapted = adapt(file.tensors(), wanted_of(file));
    EXPECT_EQ(adapted.tensors.size(), wanted_of(file).size());
    EXPECT_NO_THROW(require_complete(adapted, name));
    for (const auto& [tensor_name, tensor] : adapted.tensors) EXPECT_EQ(tensor.bytes, file.find(tensor_name)->bytes);
  }
}

TEST(Adapt, ResizesAPretrainingModelAndAFineTunedVitToo) {
  const TensorFile pretrained = TensorFile::open(golden("vit_pretrain.pth")),
                   tuned = TensorFile::open(golden("vit_finetune.pth"));
  const Adapted larger = adapt(pretrained.tensors(), wanted_of(pretrained, 124));
  EXPECT_EQ(larger.resized, std::vector<std::string>{"encoder.rel_pos_bias.relative_position_bias_table"});
  const TensorFile expected = TensorFile::open(golden("remap_vit_96.safetensors"));
  const std::vector<double> shared = to_doubles(*find(larger, larger.resized[0])),
                            block = to_doubles(*expected.find("blocks.0.attn.relative_position_bias_table"));
  for (size_t i = 0; i < shared.size(); ++i) EXPECT_NEAR(shared[i], block[i], 1e-6);
  EXPECT_EQ(adapt(tuned.tensors(), wanted_of(tuned, 124)).resized.size(), 2u);
}

TEST(Adapt, DoesNotTakeAStrayHeadOfAPretrainingFile) {
  const float value = 1;
  const TensorView one{DType::f32, {1}, {reinterpret_cast<const char*>(&value), 4}};
  const NamedViews given = {{"encoder.norm.weight", one}, {"head.weight", one}};
  EXPECT_EQ(adapt(given, {{"norm.weight", {1}}, {"head.weight", {1}}}).missing,
            std::vector<std::string>{"head.weight"});
}

TEST(RequireComplete, NamesWhatIsMissingUnexpectedAndOfAnotherShape) {
  const float value = 1;
  const TensorView one{DType::f32, {1}, {reinterpret_cast<const char*>(&value), 4}};
  const NamedViews given = {
      {"a", one}, {"x", one}, {"head.weight", one}, {"relative_position_index", one}, {"opt.exp_avg.a", one}};
  const Adapted adapted =
      adapt(given, {{"a", {2}}, {"b", {1}}, {"c", {1}}, {"d", {1}}, {"e", {1}}, {"f", {1}}, {"head.weight", {3}}});
  EXPECT_EQ(error_of(Code::data, [&] { require_complete(adapted, "w.pth", {"head."}); }),
            "w.pth: these weights do not fit the model: 5 missing (b, c, d and 2 more); 1 of another shape (a is [1], "
            "not [2]); 1 unexpected (x); "
            "set the encoder's options to those of the checkpoint");
  EXPECT_NE(
      error_of(Code::data, [&] { require_complete(adapted, "w.pth", {}, {"x"}); }).find("head.weight is [1], not [3]"),
      std::string::npos);
  EXPECT_NO_THROW(require_complete(adapted, "w.pth", {"a", "b", "c", "d", "e", "f", "head."}, {"x"}));
}

TEST(Adapt, ResizesAbsolutePositionsOfBothKinds) {
  const std::vector<float> values(5 * 2, 1.5f);
  const auto view = [&](std::vector<int64_t> shape) {
    size_t count = 1;
    for (const int64_t size : shape) count *= static_cast<size_t>(size);
    return TensorView{.dtype = DType::f32,
                      .shape = std::move(shape),
                      .bytes = {reinterpret_cast<const char*>(values.data()), count * sizeof(float)}};
  };
  const Adapted adapted =
      adapt({{"encoder.pos_embed", view({1, 5, 2})}, {"encoder.absolute_pos_embed", view({1, 4, 2})}},
            {{"pos_embed", {1, 10, 2}}, {"absolute_pos_embed", {1, 16, 2}}});
  EXPECT_EQ(adapted.resized, (std::vector<std::string>{"pos_embed", "absolute_pos_embed"}));
  EXPECT_EQ(to_doubles(adapted.tensors[0].second).size(), 20u);
  EXPECT_NEAR(to_doubles(adapted.tensors[1].second)[31], 1.5, 1e-12);
  EXPECT_EQ(adapt({{"pos_embed", view({1, 5, 2})}}, {{"pos_embed", {1, 10, 1}}}).mismatched.size(), 1u);
  EXPECT_EQ(adapt({{"pos_embed", view({1, 4, 2})}}, {{"pos_embed", {1, 10, 2}}}).mismatched.size(), 1u);
}

TEST(Adapt, KnowsTheOldNameOfSwinV2sBiasNetwork) {
  const std::vector<float> values(4, 1);
  const TensorView view{.dtype = DType::f32, .shape = {4}, .bytes = {reinterpret_cast<const char*>(values.data()), 16}};
  const Adapted adapted = adapt({{"encoder.layers.0.blocks.0.attn.rpe_mlp.0.bias", view}},
                                {{"layers.0.blocks.0.attn.cpb_mlp.0.bias", {4}}});
  ASSERT_EQ(adapted.tensors.size(), 1u);
  EXPECT_EQ(adapted.tensors[0].first, "layers.0.blocks.0.attn.cpb_mlp.0.bias");
  EXPECT_TRUE(adapted.unexpected.empty());
}

}  // namespace
}  // namespace simmim
