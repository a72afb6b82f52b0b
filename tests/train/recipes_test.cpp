// Every recipe resolves without its data; those of the official repository come to its models, grids, steps and rates.
#include <gtest/gtest.h>

#include <cmath>

#include "config/layers.h"
#include "config/resolve.h"
#include "config/schedule.h"
#include "model/classifier.h"
#include "model/simmim.h"
#include "train/stages.h"

namespace simmim {
namespace {

fs::path recipe_file(const std::string& name) {
  return fs::path(SIMMIM_SOURCE_DIR) / "sweeps/recipes" / (name + ".json");
}

// Both stages of a recipe, planned for ImageNet's sizes unless the data are at hand.
Json resolved(const std::string& name) {
  ResolveRequest request{
      .layers = recipe_layers(recipe_file(name)), .stages = {"pretrain", "finetune"}, .out = "no such folder"};
  request.layers.push_back({"test", {{"data.images", 1281167}, {"data.classes", 1000}}});
  std::vector<std::string> warnings;
  return resolve_stages(request, warnings);
}

std::vector<std::string> recipe_names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(fs::path(SIMMIM_SOURCE_DIR) / "sweeps/recipes"))
    names.push_back(entry.path().stem());
  std::sort(names.begin(), names.end());
  return names;
}

const auto by_name = [](const testing::TestParamInfo<std::string>& info) { return info.param; };

class Recipe : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(All, Recipe, testing::ValuesIn(recipe_names()), by_name);

TEST_P(Recipe, ResolvesBothStagesAndSaysWhatItIs) {
  const Json stages = resolved(GetParam());
  ASSERT_EQ(stages.size(), 2u);
  for (const Json& stage : stages) {
    EXPECT_GT(stage["plan"]["steps"].get<int64_t>(), 0);
    EXPECT_TRUE(stage["sources"].contains("precision")) << "a recipe names its precision";
  }
  const std::string about = read_json_file(recipe_file(GetParam())).value("about", "");
  for (const char* part : {"Source: ", "Cost: ", "Number: "})
    EXPECT_NE(about.find(part), std::string::npos) << part << "is missing in: " << about;
}

struct Stage {
  int64_t parameters, image_size, window;
  double drop_path, layer_decay;
  std::vector<std::pair<int, double>> rates;  // epoch -> rate at its start, of the top layers
};
struct Official {
  std::string name;
  int64_t patch, stride;
  double lowest_rate;  // the peak of fine-tuning's lowest layer
  Stage pretrain, finetune;
};

// The rates at the start of epochs, computed with the official schedulers.
const std::vector<std::pair<int, double>>
    k100 = {{0, 4e-6}, {5, 4.02e-4}, {10, 7.814e-4}, {50, 4.2e-4}, {90, 5.86e-5}, {99, 4.019e-5}},
    k800 = {{0, 2e-6}, {5, 2.01e-4}, {10, 4e-4}, {699, 4e-4}, {700, 4e-5}, {799, 4e-5}},
    kTuning = {{0, 1e-6}, {10, 2.5005e-3}, {20, 4.5226e-3}, {50, 2.5005e-3}, {99, 2.233e-6}};

const Official kOfficial[] = {
    {"swin_base_192_100ep", 4, 32, 3.589e-4, {89874104, 192, 6, 0, 1, k100}, {87750176, 192, 6, 0.1, 0.9, kTuning}},
    {"swin_base_192_100ep_224", 4, 32, 3.589e-4, {89874104, 192, 6, 0, 1, k100}, {87768224, 224, 7, 0.1, 0.9, kTuning}},
    {"swin_base_192_800ep", 4, 32, 1.889e-5, {89874104, 192, 6, 0, 1, k800}, {87768224, 224, 7, 0.1, 0.8, kTuning}},
    {"swin_large_192_800ep",
     4,
     32,
     6.705e-7,
     {199881204, 192, 12, 0, 1, k800},
     {196794556, 224, 14, 0.2, 0.7, kTuning}},
    {"swinv2_base_192_800ep",
     4,
     32,
     3.7627e-6,
     {90042744, 192, 12, 0.1, 1, k800},
     {87918816, 224, 14, 0.1, 0.75, kTuning}},
    {"vit_base_224_800ep", 16, 16, 1.8486e-5, {86256720, 224, 0, 0.1, 1, k800}, {86530984, 224, 0, 0.1, 0.65, kTuning}},
};

class OfficialRecipe : public testing::TestWithParam<Official> {};
INSTANTIATE_TEST_SUITE_P(All, OfficialRecipe, testing::ValuesIn(kOfficial),
                         [](const auto& row) { return row.param.name; });

template <class Options>
void expect_training(const Json& stage, const Stage& wanted) {
  const std::string kind = stage["kind"];
  const Json& config = stage["config"];
  const Options options = options_of<Options>(config, kind);
  EXPECT_EQ(stage["plan"]["parameters"], wanted.parameters);
  EXPECT_EQ(stage["plan"]["steps_per_epoch"], 625);
  EXPECT_EQ(config["data"]["image_size"], wanted.image_size);
  if (wanted.window > 0) {
    EXPECT_EQ(config["encoder"]["window"], wanted.window);
  }
  EXPECT_EQ(kind == "pretrain" ? config["encoder"]["drop_path"] : config["finetune"]["drop_path"], wanted.drop_path);
  EXPECT_EQ(options.batch_size, 2048);
  EXPECT_EQ(options.weight_decay, 0.05);
  EXPECT_EQ(options.betas, (std::vector<double>{0.9, 0.999}));
  EXPECT_EQ(options.eps, 1e-8);
  EXPECT_EQ(options.clip_norm, 5.0);
  EXPECT_TRUE(options.augment.enabled);
  EXPECT_EQ(options.augment.crop_scale, (std::vector<double>{kind == "pretrain" ? 0.67 : 0.08, 1}));
  if constexpr (std::is_same_v<Options, FinetuneOptions>) {
    EXPECT_EQ(options.augment.randaugment, "rand-m9-mstd0.5-inc1");
    EXPECT_EQ(options.augment.erasing, 0.25);
    EXPECT_EQ(options.mixup, 0.8);
    EXPECT_EQ(options.cutmix, 1);
    EXPECT_EQ(options.mix_switch, 0.5);
    EXPECT_EQ(options.label_smoothing, 0.1);
  }
  EXPECT_EQ(options.augment.interpolation, kind == "pretrain" ? "bilinear" : "bicubic");
  const Schedule schedule = make_schedule(options, 625, stage["plan"]["steps"]);
  for (const auto& [epoch, rate] : wanted.rates)
    EXPECT_NEAR(schedule.at(epoch * 625), rate, 3e-4 * rate) << kind << " epoch " << epoch;
  EXPECT_EQ(schedule.rate(0), schedule.at(0));
}

TEST_P(OfficialRecipe, HasTheOfficialModelStepsAndRates) {
  const Official& wanted = GetParam();
  const Json stages = resolved(wanted.name);
  expect_training<PretrainOptions>(stages[0], wanted.pretrain);
  expect_training<FinetuneOptions>(stages[1], wanted.finetune);
  EXPECT_EQ(stages[1]["parent"], stages[0]["id"]);

  const SimMim model(stages[0]["config"], {.device = at::kMeta});
  const int64_t size = wanted.pretrain.image_size;
  EXPECT_EQ(model.encoder().patch(), wanted.patch);
  EXPECT_EQ(model.encoder().shape().stride, wanted.stride);
  EXPECT_EQ(model.mask_grid(), (Grid{size / 32, size / 32}));
  EXPECT_EQ(model.target().resolution(), size);
  EXPECT_EQ(stages[0]["config"]["target"]["normalise"], wanted.name.starts_with("swinv2") ? "window" : "none");
  const Json& mask = stages[0]["config"]["mask"];
  EXPECT_EQ(masked_cells(model.mask_grid().cells(), mask["ratio"]), size == 192 ? 22 : 30);

  // The lowest layer's rate, and the groups: one a layer id, with and without decay.
  const FinetuneOptions options = options_of<FinetuneOptions>(stages[1]["config"], "finetune");
  EXPECT_EQ(options.layer_decay, wanted.finetune.layer_decay);
  EXPECT_EQ(options.label_smoothing, 0.1);
  const Classifier classifier(stages[1]["config"], 1000, {.device = at::kMeta});
  const auto groups = parameter_groups(classifier, options.weight_decay, options.layer_decay);
  EXPECT_EQ(groups.size(), wanted.patch == 4 ? 52u : 28u);
  double lowest = 1;
  for (const ParameterGroup& group : groups) lowest = std::min(lowest, group.lr_scale);
  EXPECT_NEAR(*options.lr * lowest, wanted.lowest_rate, 2e-4 * wanted.lowest_rate);
}

}  // namespace
}  // namespace simmim
