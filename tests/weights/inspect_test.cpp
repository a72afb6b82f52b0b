#include "weights/inspect.h"

#include "temporary.h"

namespace simmim {
namespace {

TEST(Inspect, TellsTheKindTheEncoderAndTheParameters) {
  const auto describe = [](const std::string& name) { return describe_file(TensorFile::open(golden(name))); };
  const Json vit = describe("vit_pretrain.pth");
  EXPECT_EQ(vit["kind"], "pretrain");
  EXPECT_EQ(vit["encoder"], "vit");
  EXPECT_EQ(vit["format"], "pth");
  EXPECT_EQ(vit["metadata"]["config"]["MODEL"]["TYPE"], "vit");
  EXPECT_EQ(vit["tensors"][0]["name"], "encoder.cls_token");
  EXPECT_EQ(vit["tensors"][0]["shape"], (Json{1, 1, 32}));
  EXPECT_EQ(vit["tensors"].size(), vit["tensors_count"]);
  const Json swin = describe("swin_finetune.pth");
  EXPECT_EQ(swin["kind"], "finetune");
  EXPECT_EQ(swin["encoder"], "swin");
  EXPECT_EQ(swin["metadata"]["epoch"], 29);
  EXPECT_EQ(describe("remap_tables.safetensors")["kind"], "unknown");
}

TEST(Inspect, KnowsATokenizer) {
  const Json dvae = describe_file(TensorFile::open(fs::path(SIMMIM_SOURCE_DIR) / "tests/targets/files/encoder.pkl"));
  EXPECT_EQ(dvae["kind"], "discrete VAE");
  EXPECT_EQ(dvae["encoder"], "none");
}

TEST(Inspect, SaysWhereTwoProgramsHaveTheSameNames) {
  const Temporary folder;
  const TensorFile official = TensorFile::open(golden("vit_finetune.pth"));
  EXPECT_EQ(describe_file(official)["names"], "simmim");  // with buffers that timm does not save
  NamedViews tensors = official.tensors();
  std::erase_if(tensors, [](const auto& entry) { return entry.first.ends_with("relative_position_index"); });
  write_safetensors(folder / "w", tensors);
  EXPECT_EQ(describe_file(TensorFile::open(folder / "w"))["names"], "simmim or timm");
}

TEST(Inspect, CountsParametersWithoutBuffersAndOptimizerState) {
  const Temporary folder;
  const std::vector<float> values(6);
  const std::vector<int64_t> index(6);
  const TensorView weight{DType::f32, {2, 3}, {reinterpret_cast<const char*>(values.data()), 24}};
  const TensorView integers{DType::i64, {6}, {reinterpret_cast<const char*>(index.data()), 48}};
  write_safetensors(
      folder / "w",
      {{"encoder.w", weight}, {"opt.exp_avg.encoder.w", weight}, {"encoder.attn_mask", weight}, {"n", integers}},
      {{"step", "3"}, {"name", "a b"}});
  const Json description = describe_file(TensorFile::open(folder / "w"));
  EXPECT_EQ(description["parameters"], 6);
  EXPECT_EQ(description["kind"], "checkpoint");
  EXPECT_EQ(description["metadata"], (Json{{"name", "a b"}, {"step", 3}}));
}

}  // namespace
}  // namespace simmim
