// The real sizes: counts and shapes of every tensor, layer ids, what decays; built on the meta device, without memory.
#include "encoders/encoders.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace simmim {
namespace {

struct Built {
  NamedTensors parameters;
  std::unique_ptr<Encoder> encoder;

  Built(const Json& given, int64_t image_size, Stage stage) {
    const Json block = resolve_encoder(given, image_size);
    encoder = find_variant(encoders(), block, "encoder")
                  .make(block, Scope(parameters, {.device = at::kMeta}), EncoderSite{image_size, stage});
  }
  std::map<std::string, std::vector<int64_t>> shapes() const {
    std::map<std::string, std::vector<int64_t>> out;
    for (const NamedTensors& part : {parameters, encoder->buffers()})
      for (const auto& [name, tensor] : part) out[name] = tensor.sizes().vec();
    return out;
  }
};

using Shape = std::vector<int64_t>;

TEST(SwinBase, HasTheShapesOfTheOfficialCheckpoint) {
  const Built swin({{"preset", "swin_base"}}, 192, Stage::pretrain);
  EXPECT_EQ(count_elements(swin.parameters), 89874104 - (1024 * 3072 + 3072));  // all but the decoder
  const auto shapes = swin.shapes();
  EXPECT_EQ(shapes.size(), 365u - 2);
  EXPECT_EQ(shapes.at("mask_token"), (Shape{1, 1, 128}));
  EXPECT_EQ(shapes.at("patch_embed.proj.weight"), (Shape{128, 3, 4, 4}));
  EXPECT_EQ(shapes.at("patch_embed.norm.bias"), (Shape{128}));
  for (int64_t s = 0; s < 4; ++s) {
    const int64_t D = 128 << s, grid = 48 >> s;
    for (int64_t b = 0; b < (s == 2 ? 18 : 2); ++b) {
      const std::string block = fmt::format("layers.{}.blocks.{}.", s, b);
      EXPECT_EQ(shapes.at(block + "norm1.weight"), (Shape{D}));
      EXPECT_EQ(shapes.at(block + "norm2.bias"), (Shape{D}));
      EXPECT_EQ(shapes.at(block + "attn.relative_position_bias_table"), (Shape{121, 4 << s}));
      EXPECT_EQ(shapes.at(block + "attn.relative_position_index"), (Shape{36, 36}));
      EXPECT_EQ(shapes.at(block + "attn.qkv.weight"), (Shape{3 * D, D}));
      EXPECT_EQ(shapes.at(block + "attn.qkv.bias"), (Shape{3 * D}));
      EXPECT_EQ(shapes.at(block + "attn.proj.weight"), (Shape{D, D}));
      EXPECT_EQ(shapes.at(block + "mlp.fc1.weight"), (Shape{4 * D, D}));
      EXPECT_EQ(shapes.at(block + "mlp.fc2.weight"), (Shape{D, 4 * D}));
      EXPECT_EQ(shapes.contains(block + "attn_mask"), b % 2 == 1 && s < 3) << block;
      if (b % 2 == 1 && s < 3) {
        EXPECT_EQ(shapes.at(block + "attn_mask"), (Shape{grid * grid / 36, 36, 36}));
      }
    }
    EXPECT_EQ(shapes.contains(fmt::format("layers.{}.downsample.norm.weight", s)), s < 3);
    if (s < 3) {
      EXPECT_EQ(shapes.at(fmt::format("layers.{}.downsample.reduction.weight", s)), (Shape{2 * D, 4 * D}));
    }
  }
  EXPECT_EQ(shapes.at("norm.weight"), (Shape{1024}));
}

TEST(VitBase, HasTheShapesOfTheOfficialCheckpoints) {
  const Built pre({{"preset", "vit_base"}}, 224, Stage::pretrain), fine({{"preset", "vit_base"}}, 224, Stage::finetune);
  EXPECT_EQ(count_elements(pre.parameters), 86256720 - (768 * 768 + 768));
  EXPECT_EQ(count_elements(fine.parameters), 86530984 - 769 * 1000);
  const auto shapes = pre.shapes(), fine_shapes = fine.shapes();
  EXPECT_EQ(shapes.size(), 190u - 2);
  EXPECT_EQ(fine_shapes.size(), 211u - 2);
  EXPECT_EQ(shapes.at("cls_token"), (Shape{1, 1, 768}));
  EXPECT_EQ(shapes.at("mask_token"), (Shape{1, 1, 768}));
  EXPECT_EQ(shapes.at("patch_embed.proj.weight"), (Shape{768, 3, 16, 16}));
  EXPECT_EQ(shapes.at("rel_pos_bias.relative_position_bias_table"), (Shape{732, 12}));
  EXPECT_EQ(shapes.at("rel_pos_bias.relative_position_index"), (Shape{197, 197}));
  for (int64_t i = 0; i < 12; ++i) {
    const std::string block = fmt::format("blocks.{}.", i);
    EXPECT_EQ(shapes.at(block + "gamma_1"), (Shape{768}));
    EXPECT_EQ(shapes.at(block + "attn.q_bias"), (Shape{768}));
    EXPECT_EQ(shapes.at(block + "attn.qkv.weight"), (Shape{2304, 768}));
    EXPECT_FALSE(shapes.contains(block + "attn.qkv.bias"));
    EXPECT_EQ(shapes.at(block + "mlp.fc1.bias"), (Shape{3072}));
    EXPECT_EQ(fine_shapes.at(block + "attn.relative_position_bias_table"), (Shape{732, 12}));
  }
  EXPECT_TRUE(shapes.contains("norm.weight") && !shapes.contains("fc_norm.weight"));
  EXPECT_TRUE(fine_shapes.contains("fc_norm.weight") && !fine_shapes.contains("norm.weight"));
  EXPECT_FALSE(fine_shapes.contains("mask_token"));
}

TEST(SwinSizes, HaveTheOfficialNumberOfParameters) {
  const auto count = [](const Json& given, int64_t size, Stage stage) {
    return count_elements(Built(given, size, stage).parameters);
  };
  const Json base = {{"preset", "swin_base"}};
  EXPECT_EQ(count(base, 224, Stage::finetune), 87768224 - 1025 * 1000);
  EXPECT_EQ(count(base, 192, Stage::finetune), 87750176 - 1025 * 1000);
  EXPECT_EQ(count({{"preset", "swin_large"}, {"window", 12}}, 192, Stage::pretrain), 199881204 - 1537 * 3072);
  EXPECT_EQ(count({{"preset", "swin_large"}, {"window", 14}}, 224, Stage::finetune), 196794556 - 1537 * 1000);
}

TEST(Swinv2, HasTheNamesAndShapesOfTheOfficialCode) {
  const Built swin({{"preset", "swinv2_base"}, {"window", 12}}, 192, Stage::pretrain);
  const auto shapes = swin.shapes();
  EXPECT_EQ(shapes.at("mask_token"), (Shape{1, 1, 128}));
  for (int64_t s = 0; s < 4; ++s) {
    const int64_t D = 128 << s, H = 4 << s, window = s == 3 ? 6 : 12;
    const std::string block = fmt::format("layers.{}.blocks.1.", s);
    EXPECT_EQ(shapes.at(block + "attn.logit_scale"), (Shape{H, 1, 1}));
    EXPECT_EQ(shapes.at(block + "attn.q_bias"), (Shape{D}));
    EXPECT_EQ(shapes.at(block + "attn.v_bias"), (Shape{D}));
    EXPECT_EQ(shapes.at(block + "attn.qkv.weight"), (Shape{3 * D, D}));
    EXPECT_FALSE(shapes.contains(block + "attn.qkv.bias"));
    EXPECT_EQ(shapes.at(block + "attn.cpb_mlp.0.weight"), (Shape{512, 2}));
    EXPECT_EQ(shapes.at(block + "attn.cpb_mlp.0.bias"), (Shape{512}));
    EXPECT_EQ(shapes.at(block + "attn.cpb_mlp.2.weight"), (Shape{H, 512}));
    EXPECT_FALSE(shapes.contains(block + "attn.cpb_mlp.2.bias"));
    EXPECT_EQ(shapes.at(block + "attn.relative_coords_table"), (Shape{1, 2 * window - 1, 2 * window - 1, 2}));
    EXPECT_EQ(shapes.at(block + "attn.relative_position_index"), (Shape{window * window, window * window}));
    EXPECT_EQ(shapes.contains(block + "attn_mask"), s < 2) << block;
    if (s < 3) {
      EXPECT_EQ(shapes.at(fmt::format("layers.{}.downsample.norm.weight", s)), (Shape{2 * D}));
    }
  }
}

TEST(Swinv2, StartsAsTheIdentityBehindEveryBranch) {
  NamedTensors parameters;
  const Json block = resolve_encoder({{"preset", "swinv2_nano"}}, 32);
  const auto encoder =
      find_variant(encoders(), block, "encoder").make(block, Scope(parameters, {}), EncoderSite{32, Stage::finetune});
  const std::vector<Tensor> means = encoder->block_features(at::ones({1, 3, 32, 32}));
  EXPECT_TRUE(means[0].equal(means[1]));  // two blocks of one stage
}

TEST(AbsolutePositions, HaveTheOfficialNamesShapesAndRules) {
  for (const Stage stage : {Stage::pretrain, Stage::finetune}) {
    const Built vit({{"preset", "vit_base"}, {"absolute_position", true}}, 224, stage);
    EXPECT_EQ(vit.shapes().at("pos_embed"), (Shape{1, 197, 768}));
    EXPECT_EQ(vit.encoder->layer_of("pos_embed"), 0);
    EXPECT_FALSE(vit.encoder->decays("pos_embed", 3, stage));
    for (const char* preset : {"swin_base", "swinv2_base"}) {
      const Built swin({{"preset", preset}, {"absolute_position", true}}, 192, stage);
      EXPECT_EQ(swin.shapes().at("absolute_pos_embed"), (Shape{1, 2304, 128}));
      EXPECT_EQ(swin.encoder->layer_of("absolute_pos_embed"), 25);
      EXPECT_FALSE(swin.encoder->decays("encoder.absolute_pos_embed", 3, stage));
    }
  }
}

TEST(LayerIds, AreTheOfficialOnes) {
  const Built swin({{"preset", "swin_base"}}, 192, Stage::finetune),
      vit({{"preset", "vit_base"}}, 224, Stage::finetune);
  EXPECT_EQ(swin.encoder->layers(), 24);
  EXPECT_EQ(vit.encoder->layers(), 12);
  const std::pair<const char*, int64_t> of_swin[] = {{"mask_token", 0},
                                                     {"patch_embed.norm.weight", 0},
                                                     {"layers.0.blocks.0.norm1.weight", 1},
                                                     {"layers.0.downsample.reduction.weight", 2},
                                                     {"layers.1.downsample.norm.bias", 4},
                                                     {"layers.2.blocks.17.mlp.fc2.bias", 22},
                                                     {"layers.2.downsample.norm.weight", 22},
                                                     {"layers.3.blocks.1.attn.proj.weight", 24},
                                                     {"norm.weight", 25},
                                                     {"head.bias", 25},
                                                     {"encoder.layers.3.blocks.0.norm1.bias", 23}};
  for (const auto& [name, id] : of_swin) EXPECT_EQ(swin.encoder->layer_of(name), id) << name;
  const std::pair<const char*, int64_t> of_vit[] = {{"cls_token", 0},
                                                    {"patch_embed.proj.bias", 0},
                                                    {"blocks.0.gamma_1", 1},
                                                    {"blocks.11.attn.qkv.weight", 12},
                                                    {"rel_pos_bias.relative_position_bias_table", 13},
                                                    {"fc_norm.weight", 13},
                                                    {"head.weight", 13},
                                                    {"encoder.mask_token", 0}};
  for (const auto& [name, id] : of_vit) EXPECT_EQ(vit.encoder->layer_of(name), id) << name;
}

// {decayed, not decayed}, the decoder's or head's weight and bias included.
std::pair<int, int> decay_counts(const Built& built, Stage stage) {
  std::pair<int, int> counts = {1, 1};
  for (const auto& [name, tensor] : built.parameters)
    ++(built.encoder->decays((stage == Stage::pretrain ? "encoder." : "") + name, tensor.dim(), stage) ? counts.first
                                                                                                       : counts.second);
  return counts;
}

TEST(WeightDecay, SparesTheSameTensorsAsTheOfficialCode) {
  const Built swin({{"preset", "swin_base"}}, 192, Stage::pretrain),
      vit({{"preset", "vit_base"}}, 224, Stage::pretrain);
  EXPECT_EQ(decay_counts(swin, Stage::pretrain), (std::pair{125, 205}));
  EXPECT_EQ(decay_counts(vit, Stage::pretrain), (std::pair{52, 137}));
  EXPECT_TRUE(vit.encoder->decays("encoder.mask_token", 3, Stage::pretrain));
  EXPECT_FALSE(swin.encoder->decays("encoder.mask_token", 3, Stage::pretrain));
  EXPECT_FALSE(vit.encoder->decays("encoder.cls_token", 3, Stage::pretrain));
  const char* table = "layers.0.blocks.0.attn.relative_position_bias_table";
  EXPECT_TRUE(swin.encoder->decays(std::string("encoder.") + table, 2, Stage::pretrain));
  EXPECT_FALSE(swin.encoder->decays(table, 2, Stage::finetune));
  EXPECT_TRUE(vit.encoder->decays("blocks.0.attn.relative_position_bias_table", 2, Stage::finetune));
  const Built second({{"preset", "swinv2_tiny"}}, 192, Stage::pretrain);
  for (const char* name : {"layers.0.blocks.0.attn.cpb_mlp.2.weight", "layers.0.blocks.0.attn.logit_scale"}) {
    EXPECT_TRUE(second.encoder->decays(std::string("encoder.") + name, 3, Stage::pretrain)) << name;
    EXPECT_FALSE(second.encoder->decays(name, 3, Stage::finetune)) << name;
  }
}

TEST(WeightDecay, AndLayersMakeTheOfficialNumberOfGroups) {
  for (const auto& [preset, groups] : {std::pair{"swin_base", 52u}, {"vit_base", 28u}}) {
    const Built built({{"preset", preset}}, 224, Stage::finetune);
    std::set<std::pair<int64_t, bool>> found = {{built.encoder->layers() + 1, true},
                                                {built.encoder->layers() + 1, false}};
    for (const auto& [name, tensor] : built.parameters)
      found.emplace(built.encoder->layer_of(name), built.encoder->decays(name, tensor.dim(), Stage::finetune));
    EXPECT_EQ(found.size(), groups) << preset;
  }
}

TEST(Flops, OfTheRealSizesAreThePublishedOnes) {  // GFLOP an image forward, 2 a multiply-add
  EXPECT_NEAR(Built({{"preset", "swin_base"}}, 192, Stage::pretrain).encoder->flops() / 1e9, 22.55, 0.1);
  EXPECT_NEAR(Built({{"preset", "vit_base"}}, 224, Stage::pretrain).encoder->flops() / 1e9, (106.1 / 3) - 0.23, 0.3);
}

TEST(Presets, AllBuildAtTheirSizes) {
  for (const auto& [name, block] : presets()) {
    const int64_t size = name.ends_with("nano") ? 32 : 224;
    const Json resolved = resolve_encoder({{"preset", name}}, size);
    EXPECT_EQ(resolve_encoder(resolved, size), resolved) << name;
    for (const auto& [key, value] : block.items())
      if (value != "auto" && value != Json::array()) {  // what does not follow from the size
        EXPECT_EQ(resolved[key], value) << name << "." << key;
      }
  }
  EXPECT_EQ(resolve_encoder({{"preset", "swin_base"}}, 192)["window"], 6);
  EXPECT_EQ(resolve_encoder({{"preset", "swin_base"}}, 224)["window"], 7);
  EXPECT_EQ(resolve_encoder({{"preset", "swin_small"}}, 192)["depths"], (Json{2, 2, 18, 2}));
  EXPECT_EQ(resolve_encoder({{"preset", "swin_small"}}, 192)["heads"], (Json{3, 6, 12, 24}));
  EXPECT_EQ(resolve_encoder({{"preset", "swinv2_tiny"}}, 256)["window"], 8);
  EXPECT_EQ(resolve_encoder({{"preset", "swinv2_tiny"}, {"window", 12}}, 192)["pretrained_window"],
            (Json{12, 12, 12, 6}));
  EXPECT_EQ(resolve_encoder({{"preset", "swinv2_tiny"}, {"pretrained_window", {12, 12, 12, 6}}}, 256)["window"], 8);
  EXPECT_EQ(resolve_encoder({{"name", "swinv2"}}, 32)["preset"], "swinv2_nano");
  EXPECT_EQ(resolve_encoder(Json::object(), 32)["preset"], "vit_nano");
  EXPECT_EQ(resolve_encoder({{"name", "swin"}}, 32)["preset"], "swin_nano");
  EXPECT_EQ(resolve_encoder({{"preset", "vit_base"}, {"depth", 3}}, 224)["depth"], 3);
}

std::string refusal(const Json& given, int64_t image_size) {
  try {
    resolve_encoder(given, image_size);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::usage);
    return error.what();
  }
  return "";
}

TEST(Sizes, ThatDoNotFitAreRefusedWithTheNearestThatDo) {
  EXPECT_EQ(refusal({{"preset", "vit_nano"}}, 30),
            "data.image_size: 30 is not a multiple of encoder.patch 4; use 28 or 32");
  EXPECT_EQ(refusal({{"preset", "vit_nano"}, {"heads", 5}}, 32),
            "encoder.heads: 5 does not divide encoder.dim 128; use 4 or 8");
  EXPECT_EQ(refusal({{"preset", "swin_base"}}, 200),
            "data.image_size: 200 is not a multiple of 32, what 4 stages of patch 4 come to; use 192 or 224");
  EXPECT_EQ(
      refusal({{"preset", "swin_base"}, {"window", 7}}, 192),
      "encoder.window: 7 does not divide the 48 tokens a side of stage 0; use window 6 or 12, or data.image_size 224");
  EXPECT_EQ(refusal({{"preset", "swinv2_base"}}, 250),
            "data.image_size: 250 is not a multiple of 32, what 4 stages of patch 4 come to; use 224 or 256");
  EXPECT_EQ(refusal({{"preset", "swinv2_base"}, {"window", 16}}, 192),
            "encoder.window: 16 does not divide the 24 tokens a side of stage 1; use window 12 or 24, or "
            "data.image_size 128 "
            "or 256");
  EXPECT_EQ(refusal({{"preset", "swinv2_tiny"}, {"pretrained_window", {12, 12}}}, 192),
            "encoder.pretrained_window: 2 numbers where encoder.depths has 4; give one a stage, or []");
  EXPECT_NE(refusal({{"preset", "swin_bse"}}, 192).find("did you mean 'swin_base'?"), std::string::npos);
  EXPECT_NE(refusal({{"name", "vit"}, {"preset", "swin_base"}}, 192), "");
  EXPECT_NE(refusal({{"preset", "vit_nano"}, {"window", 4}}, 32).find("encoder.window: unknown key"),
            std::string::npos);
  EXPECT_NE(refusal({{"preset", "swin_nano"}, {"depths", {2, 2}}}, 32), "");
}

}  // namespace
}  // namespace simmim
