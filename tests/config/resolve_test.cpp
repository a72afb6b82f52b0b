// From layers to stages: precedence, switching variants, refusals, and what a run's id depends on.
#include "config/resolve.h"

#include <gtest/gtest.h>

#include "config/run_id.h"
#include "config/schedule.h"
#include "config/sections.h"
#include "kernels/device.h"
#include "temporary.h"
#include "weights/npy.h"

namespace simmim {
namespace {

Json resolve(const std::vector<Json>& layers, const std::vector<std::string>& stages = {"pretrain"}) {
  ResolveRequest request{.stages = stages, .out = "no such folder"};
  for (size_t i = 0; i < layers.size(); ++i) request.layers.push_back({fmt::format("layer {}", i), layers[i]});
  std::vector<std::string> warnings;
  return resolve_stages(request, warnings);
}

std::string id_of(const Json& overrides, const std::string& stage = "pretrain") {
  return resolve({overrides}, {stage})[0]["id"];
}

// The sentence that a configuration is refused with.
std::string refusal(const std::vector<Json>& layers, const std::vector<std::string>& stages = {"pretrain"}) {
  try {
    resolve(layers, stages);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::usage) << error.what();
    return error.what();
  }
  return "accepted";
}

void expect_part(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << text;
}

TEST(Layers, HigherOnesWinLeafByLeaf) {
  const Merged merged =
      merge_layers({{"file", {{"mask", {{"patch", 8}, {"ratio", 0.6}}}}}, {"command line", {{"mask.ratio", 0.4}}}});
  EXPECT_EQ(merged.config["mask"]["patch"], 8);
  EXPECT_EQ(merged.config["mask"]["ratio"], 0.4);
  EXPECT_EQ(merged.sources["mask.patch"], "file");
  EXPECT_EQ(merged.sources["mask.ratio"], "command line");
}

TEST(Layers, NamingAVariantDropsWhatLowerLayersSaidOfTheBlock) {
  const Merged merged =
      merge_layers({{"file", {{"head", {{"name", "mlp"}, {"hidden", 64}}}}}, {"cell", {{"head.name", "linear"}}}});
  EXPECT_EQ(merged.config["head"], (Json{{"name", "linear"}}));
  EXPECT_FALSE(merged.sources.contains("head.hidden"));
}

TEST(Layers, RefuseOneKeySpeltTwice) {
  EXPECT_THROW(merge_layers({{"cell", {{"mask.patch", 4}, {"mask", {{"patch", 8}}}}}}), Error);
}

TEST(Layers, OfARecipeBeginWithWhatItExtends) {
  const Temporary folder;
  write_file_atomically(folder / "below.json", R"({"about": "x", "mask": {"patch": 16, "ratio": 0.5}})");
  write_file_atomically(folder / "above.json", R"({"extends": "below", "mask": {"ratio": 0.3}})");
  const Merged merged = merge_layers(recipe_layers(folder / "above.json"));
  EXPECT_EQ(merged.config, (Json{{"mask", {{"patch", 16}, {"ratio", 0.3}}}}));
}

TEST(Layers, OfARecipeExtendOneThatComesWithTheProgramByItsBareName) {
  const Temporary folder;
  write_file_atomically(folder / "mine.json", R"({"extends": "swin_base_192_100ep", "mask": {"ratio": 0.3}})");
  const Merged merged = merge_layers(recipe_layers(folder / "mine.json"));
  EXPECT_EQ(merged.config["encoder"]["preset"], "swin_base");
  EXPECT_EQ(merged.config["mask"]["ratio"], 0.3);
  write_file_atomically(folder / "mine.json", R"({"extends": "swin_base_192_10ep"})");
  expect_part(error_of(Code::usage, [&] { recipe_layers(folder / "mine.json"); }),
              "mine.json: extends: recipe 'swin_base_192_10ep': no such file or recipe; did you mean "
              "'swin_base_192_100ep'?");
}

TEST(Layers, OfARecipeThatExtendsItselfAreRefused) {
  const Temporary folder;
  write_file_atomically(folder / "circle.json", R"({"extends": "circle.json"})");
  EXPECT_THROW(recipe_layers(folder / "circle.json"), Error);
}

TEST(Defaults, AreViTNanoOnFashionMnistWithTheInterfacesMask) {
  const Json config = resolve({Json::object()})[0]["config"];
  EXPECT_EQ(config["encoder"]["preset"], "vit_nano");
  EXPECT_EQ(config["data"]["name"], "fashion_mnist");
  EXPECT_EQ(config["data"]["image_size"], 32);
  EXPECT_EQ(config["mask"]["name"], "random");
  EXPECT_EQ(config["mask"]["patch"], 8);
  EXPECT_EQ(config["mask"]["ratio"], 0.6);
  EXPECT_EQ(config["head"]["name"], "linear");
  EXPECT_EQ(config["target"]["name"], "pixels");
  EXPECT_EQ(config["loss"]["name"], "l1");
  EXPECT_EQ(config["loss"]["area"], "masked");
}

TEST(Plan, SaysWhichShareTheMaskRatioComesTo) {
  const auto share = [](const Json& overrides) {
    return resolve({overrides})[0]["plan"]["masked_share"].get<double>();
  };
  EXPECT_EQ(share({{"mask.ratio", 0.6}}), 10 / 16.0);
  EXPECT_EQ(share({{"mask.ratio", 1}}), 1);
  EXPECT_EQ(share({{"mask.name", "square"}, {"mask.ratio", 0.6}}), 9 / 16.0);
  EXPECT_EQ(share({{"mask.name", "blockwise"}, {"mask.ratio", 0.4}}), 7 / 16.0);
  const double inexact = share({{"mask.name", "blockwise"}, {"mask.patch", 4}, {"mask.exact", false}});
  EXPECT_LT(inexact, 39 / 64.0);
  EXPECT_GT(inexact, 0.5);
  EXPECT_EQ(share({{"mask.ratio", 0}, {"loss.area", "all"}}), 0);
}

TEST(Stages, MayHaveTheirOwnDataAndEncoder) {
  const Json stages =
      resolve({{{"finetune.data.image_size", 64}, {"finetune.encoder.drop_path", 0.3}}}, {"pretrain", "finetune"});
  EXPECT_EQ(stages[0]["config"]["data"]["image_size"], 32);
  EXPECT_EQ(stages[1]["config"]["data"]["image_size"], 64);
  EXPECT_EQ(stages[1]["config"]["encoder"]["drop_path"], 0.3);
  EXPECT_EQ(stages[1]["parent"], stages[0]["id"]);
}

TEST(Stages, FromScratchStartNoPreTraining) {
  const Json stages = resolve({{{"finetune.from", "scratch"}}}, {"pretrain", "finetune"});
  ASSERT_EQ(stages.size(), 1u);
  EXPECT_EQ(stages[0]["kind"], "finetune");
  EXPECT_TRUE(stages[0]["parent"].is_null());
}

TEST(Stages, FromScratchDoNotSeeTheMask) {
  const auto scratch = [](int64_t patch) {
    return resolve({{{"finetune.from", "scratch"}, {"mask.patch", patch}}}, {"pretrain", "finetune"})[0]["id"];
  };
  EXPECT_EQ(scratch(4), scratch(16));
}

TEST(Rates, GivenForAReferenceBatchScaleWithTheBatch) {
  const Json config = resolve({{{"pretrain.base_lr", 2e-4},
                                {"pretrain.warmup_lr", 1e-6},
                                {"pretrain.min_lr", 1e-5},
                                {"pretrain.batch_size", 2048}}})[0];
  EXPECT_NEAR(config["config"]["pretrain"]["lr"].get<double>(), 8e-4, 1e-15);
  EXPECT_NEAR(config["config"]["pretrain"]["warmup_lr"].get<double>(), 4e-6, 1e-18);
  EXPECT_NEAR(config["config"]["pretrain"]["min_lr"].get<double>(), 4e-5, 1e-18);
  EXPECT_EQ(config["plan"]["peak_lr"], config["config"]["pretrain"]["lr"]);
}

// simmim.md 2.2: the rates at the start of epochs of the official 100-epoch recipe, 625 steps an epoch.
TEST(Rates, OfTheOfficialRecipeAreTheOfficialOnes) {
  TrainOptions options;
  options.base_lr = 2e-4;
  options.warmup_lr = 1e-6;
  options.min_lr = 1e-5;
  options.batch_size = 2048;
  options.warmup_epochs = 10;
  const Schedule schedule = make_schedule(options, 625, 62500);
  const std::pair<int, double> wanted[] = {{0, 4e-6},    {5, 4.02e-4},  {10, 7.814e-4},
                                           {50, 4.2e-4}, {90, 5.86e-5}, {99, 4.019e-5}};
  for (const auto& [epoch, rate] : wanted)
    EXPECT_NEAR(schedule.at(epoch * 625), rate, 2e-4 * rate) << "epoch " << epoch;
  EXPECT_DOUBLE_EQ(schedule.rate(0), schedule.at(0));
  EXPECT_DOUBLE_EQ(schedule.rate(1), schedule.at(0));  // the official loop updates the rate after the step
  EXPECT_DOUBLE_EQ(schedule.rate(7), schedule.at(6));
}

TEST(Warmup, ThatIsNotGivenLeavesRoomInAShortRun) {
  const auto warmup = [](const Json& overrides) {
    return resolve({overrides})[0]["config"]["pretrain"]["warmup_epochs"].get<double>();
  };
  EXPECT_EQ(warmup(Json::object()), 1);
  EXPECT_EQ(warmup({{"pretrain.epochs", 2}}), 1);
  EXPECT_DOUBLE_EQ(warmup({{"pretrain.epochs", 1}}), 0.1);
  const int64_t per_epoch = resolve({Json::object()})[0]["plan"]["steps_per_epoch"];
  EXPECT_DOUBLE_EQ(warmup({{"pretrain.steps", per_epoch / 2}}), 0.1 * static_cast<double>(per_epoch / 2) / per_epoch);
  EXPECT_EQ(id_of({{"pretrain.epochs", 1}}), id_of({{"pretrain.epochs", 1}, {"pretrain.warmup_epochs", 0.1}}));
}

TEST(Refusals, SayWhereWhatAndWhatIsAllowed) {
  const std::pair<Json, std::vector<std::string>> cases[] = {
      {{{"mask.ration", 0.5}}, {"mask.ration: unknown key", "did you mean 'ratio'?"}},
      {{{"masks", {{"patch", 4}}}}, {"masks: unknown key", "did you mean 'mask'?"}},
      {{{"mask.ratio", 1.5}}, {"mask.ratio: got 1.5", "from 0 to 1"}},
      {{{"mask.name", "randon"}}, {"mask.name: unknown name 'randon'", "did you mean 'random'?"}},
      {{{"mask.patch", 24}}, {"mask.patch", "24", "32"}},
      {{{"mask.patch", 6}}, {"mask.patch"}},
      {{{"head.hidden", 64}}, {"head.hidden: unknown key"}},
      {{{"target.resolution", 5}}, {"target.resolution", "5"}},
      {{{"data.name", "fashion_minst"}}, {"data.name", "fashion_mnist"}},
      {{{"encoder.preset", "vit_huge"}}, {"encoder.preset", "vit_large"}},
      {{{"encoder.heads", 5}}, {"encoder.heads", "5"}},
      {{{"data.image_size", 30}}, {"30"}},
      {{{"pretrain.batch_size", 100000}}, {"pretrain.batch_size", "there would be no step"}},
      {{{"pretrain.epochs", 2}, {"pretrain.warmup_epochs", 2}}, {"pretrain.warmup_epochs"}},
      {{{"pretrain.epochs", 1}, {"pretrain.warmup_epochs", 1}}, {"pretrain.warmup_epochs"}},
      {{{"pretrain.lr", 1e-3}, {"pretrain.base_lr", 1e-3}}, {"both lr and base_lr"}},
      {{{"pretrain.epochs", 2}, {"pretrain.steps", 5}}, {"both epochs and steps"}},
      {{{"pretrain.betas", {0.9}}}, {"pretrain.betas"}},
      {{{"seed", -1}}, {"seed"}},
      {{{"precision", "f16"}}, {"precision", "f32"}},
      {{{"loss.name", "l3"}}, {"loss.name", "l1"}},
      {{{"loss.name", "cross_entropy"}},
       {"loss.name", "'pixels', which is made of values; use loss.name=l1, l2 or smooth_l1"}},
      {{{"target.name", "color_bins"}},
       {"loss.name", "'color_bins', which is made of classes; use loss.name=cross_entropy"}},
      {{{"target.name", "color_clusters"}, {"loss.name", "l2"}}, {"made of classes; use loss.name=cross_entropy"}},
      {{{"target.name", "color_bins"}, {"loss.name", "cross_entropy"}, {"target.resolution", 4}}, {"use 8, 16 or 32"}},
      {{{"target.name", "color_bins"}, {"target.bins", 1}}, {"target.bins: got 1"}},
      {{{"target.name", "color_clusters"}, {"loss.name", "cross_entropy"}, {"target.centers", "checkpoint"}},
       {"target.centers: checkpoint means that of --from", "fit, checkpoint or a file"}},
      {{{"target.normalise", "window"}, {"target.window", 4}}, {"target.window: got 4", "odd"}},
      {{{"target.normalise", "patch"}, {"target.resolution", 8}}, {"target.patch: 4 pixels"}},
      {{{"loss.partial", "half"}}, {"loss.partial", "share, any or full"}},
      {{{"mask", 5}}, {"mask: got 5"}},
      {{{"mask.ratio", 0}}, {"mask.ratio: 0 hides none of 4 x 4 cells", "loss.area=all"}},
      {{{"mask.name", "square"}, {"mask.ratio", 0.01}}, {"mask.ratio: 0.01 hides none"}},
      {{{"method.name", "mae"}}, {"method.name"}},
      {{{"mask.name", "blockwise"}, {"mask.max_block", 1}, {"mask.min_block", 4}},
       {"mask.max_block: 1 is less than mask.min_block, 4"}},
      {{{"mask.name", "blockwise"}, {"mask.min_block", 100}}, {"mask.min_block: 100 is more than", "use 1 to 9"}},
      {{{"pretrain.schedule", "multi_step"}}, {"pretrain.milestones: multi_step needs the epochs"}},
      {{{"pretrain.milestones", {3}}}, {"pretrain.milestones: [3.0] has no effect with pretrain.schedule=cosine"}},
      {{{"target.window", 5}}, {"target.window: 5 has no effect", "or set target.normalise=window"}},
      {{{"target.patch", 8}, {"target.normalise", "window"}}, {"target.patch: 8 has no effect"}},
      {{{"loss.partial", "any"}, {"loss.area", "all"}}, {"loss.partial: \"any\" has no effect with loss.area=all"}},
  };
  for (const auto& [overrides, parts] : cases) {
    const std::string text = refusal({overrides});
    for (const std::string& part : parts) expect_part(text, part);
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
  }
}

// Another recipe's leftovers are no mistake of whoever changes the choice above them.
TEST(Refusals, LetAnOptionWithoutEffectStayBelowTheChoiceThatTurnsItOff) {
  const Json recipe = {{"pretrain.schedule", "multi_step"},
                       {"pretrain.milestones", {3}},
                       {"target.window", 5},
                       {"target.normalise", "window"}};
  EXPECT_EQ(refusal({recipe, {{"pretrain.schedule", "cosine"}, {"target.normalise", "none"}}}), "accepted");
  EXPECT_EQ(refusal({recipe, {{"pretrain.gamma", 0.5}}}), "accepted");
  expect_part(refusal({{{"pretrain.schedule", "constant"}}, {{"pretrain.gamma", 0.5}}}), "pretrain.gamma: 0.5 has no");
}

TEST(Refusals, OfAProbeComeBeforeItsFeatures) {
  const auto refused = [](const Json& options) { return refusal({options}, {"pretrain", "probe"}); };
  EXPECT_EQ(refused(Json::object()), "accepted");
  EXPECT_EQ(refused({{"probe.layer", 6}}), "accepted");
  EXPECT_EQ(refused({{"probe.layer", 9}}), "probe.layer: got 9; allowed: all, last or a block number from 1 to 6");
  expect_part(refused({{"probe.lr", Json::array()}}), "probe.lr: got []; allowed: one rate above 0 or more");
  expect_part(refused({{"probe.lr", {0.1, 0}}}), "probe.lr: got [0.1,0.0]");
  expect_part(refused({{"probe.name", "knn"}, {"probe.neighbours", 1000000}}),
              "probe.neighbours: 1000000 is more than the 54000 training images");
  expect_part(refused({{"probe.limit_labels", 1000000}}), "probe.limit_labels: 1000000 is more than the 54000");
}

TEST(Refusals, OfAnEncoderThatTheWeightsDoNotFitComeBeforeTraining) {
  expect_part(refusal({{{"finetune.encoder.dim", 64}}}, {"pretrain", "finetune"}),
              "finetune.from: pretrain: these weights do not fit the model");
  EXPECT_EQ(
      refusal({{{"finetune.encoder.drop_path", 0.1}, {"finetune.data.image_size", 64}}}, {"pretrain", "finetune"}),
      "accepted");
}

TEST(Refusals, OfFineTuningNameItsKeys) {
  expect_part(refusal({Json::object()}, {"finetune"}), "there is no pre-training in this command");
  expect_part(refusal({{{"finetune.from", "scratch"}, {"finetune.limit_labels", 1000000}}}, {"finetune"}),
              "finetune.limit_labels");
  expect_part(refusal({{{"finetune.from", "scratch"}, {"finetune.select", "best"}, {"data.holdout", 0}}}, {"finetune"}),
              "finetune.select");
}

TEST(Id, StaysWhereAKeyCannotChangeTheResult) {
  const std::string id = id_of(Json::object());
  const Json same[] = {{{"data.workers", 3}},          {{"device", "cpu"}},          {{"pretrain.log_steps", 7}},
                       {{"pretrain.save_minutes", 1}}, {{"pretrain.save_steps", 9}}, {{"pretrain.keep_epochs", 2}},
                       {{"pretrain.accumulate", 2}},   {{"mask.ratio", 0.6}},        {{"encoder.preset", "vit_nano"}},
                       {{"encoder.dim", 128}},         {{"target.resolution", 32}},  {{"pretrain.lr", 1e-3}},
                       {{"finetune.epochs", 3}}};
  for (const Json& overrides : same) EXPECT_EQ(id_of(overrides), id) << overrides.dump();
}

TEST(Id, ChangesWithEveryKeyThatCanChangeTheResult) {
  std::map<std::string, std::string> seen = {{id_of(Json::object()), "the defaults"}};
  const Json other[] = {{{"seed", 1}},
                        {{"mask.ratio", 0.5}},
                        {{"mask.patch", 4}},
                        {{"mask.name", "square"}},
                        {{"head.name", "mlp"}},
                        {{"loss.name", "l2"}},
                        {{"loss.area", "all"}},
                        {{"loss.partial", "any"}},
                        {{"target.normalise", "window"}},
                        {{"target.name", "color_bins"}, {"loss.name", "cross_entropy"}},
                        {{"target.name", "color_bins"}, {"loss.name", "cross_entropy"}, {"target.bins", 9}},
                        {{"target.name", "color_clusters"}, {"loss.name", "cross_entropy"}},
                        {{"target.name", "color_clusters"}, {"loss.name", "cross_entropy"}, {"target.fit.seed", 1}},
                        {{"target.resolution", 16}},
                        {{"encoder.dim", 64}},
                        {{"encoder.preset", "swin_nano"}},
                        {{"pretrain.epochs", 9}},
                        {{"pretrain.lr", 2e-3}},
                        {{"data.holdout", 0.2}},
                        {{"data.split_seed", 1}},
                        {{"data.limit", 5000}},
                        {{"pretrain.batch_size", 64}},
                        {{"precision", "f64"}},
                        {{"data.image_size", 64}},
                        {{"pretrain.augment.flip", 0}},
                        {{"pretrain.weight_decay", 0}},
                        {{"data.mean", {0.5, 0.5, 0.5}}}};
  for (const Json& overrides : other) {
    const auto [it, is_new] = seen.emplace(id_of(overrides), overrides.dump());
    EXPECT_TRUE(is_new) << overrides.dump() << " has the id of " << it->second;
  }
}

// A file that an option names counts by its content: not by its path, and not by how it came about.
TEST(Id, KnowsFilesByTheirContent) {
  const Temporary folder;
  const auto id_with = [&](const fs::path& centers) {
    return id_of(
        {{"target.name", "color_clusters"}, {"loss.name", "cross_entropy"}, {"target.centers", centers.string()}});
  };
  write_npy(folder / "a.npy", {2, 3}, {0, 0, 0, 1, 1, 1});
  fs::copy_file(folder / "a.npy", folder / "b.npy");
  write_npy(folder / "c.npy", {2, 3}, {0, 0, 0, 1, 1, 0.5});
  EXPECT_EQ(id_with(folder / "a.npy"), id_with(folder / "b.npy"));
  EXPECT_NE(id_with(folder / "a.npy"), id_with(folder / "c.npy"));
  EXPECT_NE(id_with(folder / "a.npy"), id_with("fit"));
  EXPECT_THROW(id_with(folder / "none.npy"), Error);
  const Json stage = resolve({{{"target.name", "color_clusters"},
                               {"loss.name", "cross_entropy"},
                               {"target.centers", (folder / "a.npy").string()}}})[0];
  EXPECT_EQ(stage["config"]["target"]["clusters"], 2);
  EXPECT_EQ(stage["plan"]["head_channels"], 2);
}

TEST(Plan, ShowsWhatTheHeadPutsOut) {
  const auto channels = [](const Json& target) {
    return resolve({{{"data.image_size", 192},
                     {"encoder.preset", "swin_tiny"},
                     {"mask.patch", 32},
                     {"target", target},
                     {"loss.name", target["name"] == "pixels" ? "l1" : "cross_entropy"}}})[0]["plan"]["head_channels"];
  };
  EXPECT_EQ(channels({{"name", "pixels"}}), 3072);
  EXPECT_EQ(channels({{"name", "color_clusters"}, {"resolution", 192}}), 524288);
  EXPECT_EQ(channels({{"name", "color_clusters"}}), 512 * 16);  // 24 x 24 target pixels on 6 x 6 cells
  EXPECT_EQ(channels({{"name", "color_bins"}}), 3 * 8 * 16);
}

TEST(Id, OfAFineTuningChangesWithItsParent) {
  const auto finetune = [](double ratio) {
    return resolve({{{"mask.ratio", ratio}}}, {"pretrain", "finetune"})[1]["id"];
  };
  EXPECT_NE(finetune(0.6), finetune(0.4));
}

TEST(Finetune, RefusesAugmentationsThatMakeNoSense) {
  const auto refused = [](const Json& options) {
    return refusal({{{"finetune.from", "scratch"}}, options}, {"finetune"});
  };
  EXPECT_EQ(
      refused({{"finetune.batch_size", 33}, {"finetune.mixup", 0.8}}),
      "finetune.batch_size: 33 is odd, and mixup and cutmix pair the images of a batch; use 32 or 34, or set both "
      "to 0");
  EXPECT_EQ(refused({{"finetune.batch_size", 33}}), "accepted");
  expect_part(refused({{"finetune.augment.randaugment", "rand-m9-q3"}}),
              "finetune.augment.randaugment: got 'rand-m9-q3'; allowed: rand with m");
  expect_part(refused({{"finetune.augment.erasing_mode", "noise"}}), "finetune.augment.erasing_mode: got \"noise\"");
  expect_part(refused({{"finetune.ema", 1}}), "finetune.ema: got 1; allowed: number from 0 to 0.9999999");
  expect_part(refusal({{{"pretrain.augment.randaugment", "rand-m9"}}}), "pretrain.augment.randaugment: unknown key");
}

TEST(Essential, LeavesOutEveryOptionAtItsDefault) {
  const Json config = resolve({{{"mask.ratio", 0.5}}})[0]["config"];
  const Json kept = essential(config);
  EXPECT_EQ(kept["mask"], (Json{{"name", "random"}, {"ratio", 0.5}}));
  EXPECT_FALSE(kept.contains("device"));
  EXPECT_FALSE(kept["pretrain"].contains("batch_size"));
}

// A change of a default changes what an old id meant: raise the result version of its part (config/run_id.cpp), then
// put the new hash here.
TEST(Schema, HasTheDefaultsThatTheResultVersionsStandFor) {
  Json defaults = Json::object();
  const Json schema = describe_schema();
  for (const Json& section : schema["sections"]) {
    const auto take = [&](const Json& options, const std::string& prefix) {
      for (const Json& option : options)
        if (option["in_id"].get<bool>()) defaults[prefix + option["name"].get<std::string>()] = option["default"];
    };
    const std::string name = section["section"];
    if (section.contains("options"))
      take(section["options"], name + ".");
    else
      for (const Json& variant : section["variants"])
        take(variant["options"], name + "." + variant["name"].get<std::string>() + ".");
  }
  EXPECT_EQ(defaults["mask.random.ratio"], 0.6);
  EXPECT_EQ(defaults["pretrain.weight_decay"], 0.05);
  EXPECT_EQ(defaults["pretrain.augment.crop_scale"], (Json{0.67, 1.0}));
  EXPECT_EQ(defaults["finetune.augment.crop_scale"], (Json{0.08, 1.0}));
  EXPECT_EQ(defaults["finetune.label_smoothing"], 0.1);
  EXPECT_EQ(defaults["finetune.augment.randaugment"], "");
  for (const char* off : {"augment.color_jitter", "augment.erasing", "mixup", "cutmix", "ema"})
    EXPECT_EQ(defaults[std::string("finetune.") + off], 0) << off;
  EXPECT_EQ(result_versions({{"stage", "pretrain"}}).size(), 8u);
}

TEST(Precision, ThatThisProcessorIsSlowAtIsSaid) {
  const auto warnings = [](const char* precision) {
    std::vector<std::string> said;
    resolve_stages({.layers = {{"test", {{"precision", precision}, {"device", "cpu"}}}}, .stages = {"pretrain"}}, said);
    return said;
  };
  EXPECT_EQ(warnings("f32"), std::vector<std::string>{});
  EXPECT_EQ(warnings("bf16").empty(), device_info(at::kCPU).fast_bf16);
}

}  // namespace
}  // namespace simmim
