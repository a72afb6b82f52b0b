// Against the names and shapes that timm and transformers themselves give their models (files/other_names.json, written
// by scripts/golden/weights.py).
#include "weights/names.h"

#include <algorithm>
#include <map>

#include "core/json.h"
#include "temporary.h"

namespace simmim {
namespace {

using Shapes = std::map<std::string, std::vector<int64_t>>;

bool is_buffer(const std::string& name) {
  return name.ends_with("relative_position_index") || name.ends_with("attn_mask");
}

NamedViews parameters(const TensorFile& file) {
  NamedViews out;
  for (const auto& entry : file.tensors())
    if (!is_buffer(entry.first)) out.push_back(entry);
  return out;
}

// The features of a pre-training file as a classifier of five classes, whose head borrows other numbers of the file.
NamedViews as_classifier(const TensorFile& file) {
  NamedViews out;
  for (auto [name, tensor] : parameters(file))
    if (name.starts_with("encoder.") && name != "encoder.mask_token") out.emplace_back(name.substr(8), tensor);
  const int64_t channels = file.find("encoder.norm.bias")->shape[0];
  const std::string_view bytes = file.find("decoder.0.weight")->bytes;
  out.emplace_back("head.weight",
                   TensorView{DType::f32, {5, channels}, bytes.substr(0, static_cast<size_t>(20 * channels))});
  out.emplace_back("head.bias", TensorView{DType::f32, {5}, bytes.substr(0, 20)});
  return out;
}

struct Case {
  std::string entry;  // of other_names.json
  std::string file;
  Room room;
  std::vector<std::string> left_out;
  bool classifier = false;
};

const std::vector<std::string> kHead = {"decoder.0.bias", "decoder.0.weight"},
                               kHeadAndToken = {"decoder.0.bias", "decoder.0.weight", "encoder.mask_token"};
const Case kCases[] = {
    {"timm vit_pretrain", "vit_pretrain.pth", {Naming::timm}, kHeadAndToken},
    {"timm vit_finetune", "vit_finetune.pth", {Naming::timm}, {}},
    {"timm swin_pretrain", "swin_pretrain.pth", {Naming::timm}, kHeadAndToken},
    {"timm swin_finetune", "swin_finetune.pth", {Naming::timm}, {}},
    {"hf vit_pretrain", "vit_pretrain.pth", {.naming = Naming::hf, .mask_token = true}, kHead},
    {"hf vit_finetune", "vit_finetune.pth", {Naming::hf, "beit."}, {}},
    {"hf swin_p2_pretrain", "swin_p2_pretrain.pth", {Naming::hf, "swin.", true, true}, {}},
    {"hf swin_p2_finetune", "swin_p2_pretrain.pth", {Naming::hf, "swin."}, {}, true},
};

TEST(Names, AreThoseOfTimmAndTransformersWithTheirShapes) {
  const Json other = read_json_file(fs::path(SIMMIM_SOURCE_DIR) / "tests/weights/files/other_names.json");
  for (const Case& c : kCases) {
    const TensorFile file = TensorFile::open(golden(c.file));
    Renamed renamed = rename_for(c.classifier ? as_classifier(file) : parameters(file), c.room);
    Shapes got;
    for (const auto& [name, tensor] : renamed.tensors) EXPECT_TRUE(got.emplace(name, tensor.shape).second) << name;
    EXPECT_EQ(got, other.at(c.entry).get<Shapes>()) << c.entry;
    std::sort(renamed.left_out.begin(), renamed.left_out.end());
    EXPECT_EQ(renamed.left_out, c.left_out) << c.entry;
  }
}

TEST(Names, ThereAndBackGiveTheSameBits) {
  const Temporary folder;
  for (const Case& c : kCases) {
    const TensorFile file = TensorFile::open(golden(c.file));
    const NamedViews original = c.classifier ? as_classifier(file) : parameters(file);
    const Renamed renamed = rename_for(original, c.room);
    write_safetensors(folder / "there.safetensors", renamed.tensors);
    const TensorFile back = TensorFile::open_weights(folder / "there.safetensors");
    EXPECT_EQ(back.tensors().size(), original.size() - renamed.left_out.size()) << c.entry;
    for (const auto& [name, tensor] : original) {
      if (std::find(c.left_out.begin(), c.left_out.end(), name) != c.left_out.end()) continue;
      // timm's files have no room for the prefix that tells a pre-training model.
      const TensorView* found =
          back.find(c.room.naming == Naming::timm && name.starts_with("encoder.") ? name.substr(8) : name);
      ASSERT_NE(found, nullptr) << c.entry << " " << name;
      EXPECT_EQ(found->shape, tensor.shape) << c.entry << " " << name;
      EXPECT_EQ(found->bytes, tensor.bytes) << c.entry << " " << name;
    }
  }
}

NamedViews named(const std::vector<std::string>& names) {
  static const float value[6] = {1, 2, 3, 4, 5, 6};
  NamedViews out;
  for (const std::string& name : names)
    out.emplace_back(name, TensorView{DType::f32, {2}, {reinterpret_cast<const char*>(value), 8}});
  return out;
}

std::vector<std::string> official(const std::vector<std::string>& names) {
  FileContents contents;
  contents.tensors = named(names);
  use_official_names(contents, 1000);
  std::vector<std::string> out;
  for (const auto& [name, tensor] : contents.tensors) out.push_back(name);
  return out;
}

TEST(Names, TellWhoseTheyAre) {
  EXPECT_EQ(naming_of(named({"layers.0.downsample.norm.bias", "layers.1.downsample.norm.bias"})), Naming::official);
  EXPECT_EQ(naming_of(named({"layers.1.downsample.norm.bias", "layers.2.downsample.norm.bias"})), Naming::timm);
  EXPECT_EQ(naming_of(named({"layers.0.blocks.0.norm1.bias", "head.fc.weight"})), Naming::timm);
  EXPECT_EQ(naming_of(named({"vit.embeddings.patch_embeddings.projection.weight"})), Naming::hf);
  EXPECT_EQ(naming_of(named({"blocks.0.attn.q_bias", "head.weight"})), Naming::official);
}

const std::string kPatches = "swin.embeddings.patch_embeddings.projection.weight",
                  kAttention = "swin.encoder.layers.0.blocks.1.attention.self.";

TEST(Names, OfQueriesWithoutKeysStayApart) {
  EXPECT_EQ(official({kPatches, kAttention + "query.weight", kAttention + "value.weight", "classifier.weight"}),
            (std::vector<std::string>{"patch_embed.proj.weight", kAttention + "query.weight",
                                      kAttention + "value.weight", "head.weight"}));
  EXPECT_EQ(official({kPatches, kAttention + "query.bias", kAttention + "value.bias"}),
            (std::vector<std::string>{"encoder.patch_embed.proj.weight", "encoder.layers.0.blocks.1.attn.q_bias",
                                      "encoder.layers.0.blocks.1.attn.v_bias"}));
}

TEST(Names, ThatNobodyKnowsStayAndBuffersGo) {
  EXPECT_EQ(official({kPatches, "swin.encoder.layers.0.blocks.1.novelty.weight", kAttention + "relative_position_index",
                      "lm_head.weight"}),
            (std::vector<std::string>{"encoder.patch_embed.proj.weight",
                                      "swin.encoder.layers.0.blocks.1.novelty.weight", "lm_head.weight"}));
  EXPECT_EQ(official({"layers.1.downsample.norm.bias", "layers.99999999999999999999.downsample.norm.bias"})[1],
            "layers.99999999999999999999.downsample.norm.bias");
}

// The three parts of a block may be one and the same bytes of a .pth, a thousand blocks of it a file of kilobytes.
TEST(Names, OfManyTensorsOfTheSameBytesTakeNoMoreMemoryThanTheFileCanPayFor) {
  std::vector<std::string> names = {kPatches};
  for (int block = 0; block < 500; ++block)
    for (const char* part : {"query", "key", "value"})
      names.push_back(fmt::format("swin.encoder.layers.0.blocks.{}.attention.self.{}.weight", block, part));
  FileContents contents;
  contents.tensors = named(names);
  use_official_names(contents, 60);
  EXPECT_EQ(contents.owned.size(), 10u);  // four times the 60 bytes, 24 each
}

TEST(WritePth, ComesBackAsItWasAndBeginsTensorsAtAMultipleOf64) {
  const Temporary folder;
  const TensorFile given = TensorFile::open(golden("swin_p2_pretrain.pth"));
  NamedViews tensors = given.tensors();
  const double one = 0.1;
  tensors.emplace_back("scalar", TensorView{DType::f64, {}, {reinterpret_cast<const char*>(&one), 8}});
  tensors.emplace_back("empty", TensorView{DType::f32, {0, 5}, {}});
  write_pth(folder / "w.pth", tensors);
  const TensorFile back = TensorFile::open(folder / "w.pth");
  EXPECT_EQ(back.format(), "pth");
  ASSERT_EQ(back.tensors().size(), tensors.size());
  for (size_t i = 0; i < tensors.size(); ++i) {
    const auto& [name, tensor] = back.tensors()[i];
    EXPECT_EQ(name, tensors[i].first);
    EXPECT_EQ(tensor.dtype, tensors[i].second.dtype);
    EXPECT_EQ(tensor.shape, tensors[i].second.shape);
    EXPECT_EQ(tensor.bytes, tensors[i].second.bytes);
    if (tensor.count() > 0) {
      EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.bytes.data()) % 64, 0u) << name;
    }
  }
}

}  // namespace
}  // namespace simmim
