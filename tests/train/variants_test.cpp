// Every kind of encoder and head trains, and its weights serve at another size.
#include "config/checkpoint_config.h"
#include "training.h"

namespace simmim {
namespace {

using namespace testing_support;

struct VariantCase {
  std::string name;
  Json encoder, head;
  double reached = 0.9;  // share of the first loss that the last one is below
};

void PrintTo(const VariantCase& c, std::ostream* out) { *out << c.name; }

class Variant : public testing::TestWithParam<VariantCase> {};

TEST_P(Variant, LearnsAndIsFineTunedAtAnotherSize) {
  const Folder folder;
  const Json entries = resolve(folder.path, {"pretrain", "finetune"},
                               {{"encoder", GetParam().encoder},
                                {"head", GetParam().head},
                                {"pretrain.epochs", 8},
                                {"pretrain.lr", 3e-3},
                                {"finetune.data.image_size", 64}});
  std::vector<double> losses;
  ASSERT_EQ(run(entries[0], folder.path)["state"], "done");
  for (const std::string& text : journal(folder.path, entries[0]["id"]))
    if (const Json line = parse_json(text, "journal"); line.contains("loss")) losses.push_back(line["loss"]);
  ASSERT_GE(losses.size(), 4u);
  EXPECT_LT(losses.back(), GetParam().reached * losses.front());
  ASSERT_EQ(run(entries[1], folder.path)["state"], "done");
  EXPECT_EQ(read_record(run_path(folder.path, entries[1]["id"]))["state"], "done");
}

const Json kSwin = {{"patch", 4}, {"dim", 16}, {"depths", {1, 2}}, {"heads", {1, 2}}, {"window", "auto"}};
const Json kInverse = {
    {"name", "inverse_swin"}, {"dim", 16}, {"depths", {1, 1}}, {"heads", {2, 1}}, {"window", "auto"}};

Json with(Json block, const Json& more) {
  block.update(more);
  return block;
}

INSTANTIATE_TEST_SUITE_P(Cases, Variant,
                         testing::Values(  // A new Swin V2 passes its input on: it sets off slowly.
                             VariantCase{"swinv2_with_inverse_swin", with(kSwin, {{"name", "swinv2"}}), kInverse, 0.97},
                             VariantCase{"swin_with_absolute_positions",
                                         with(kSwin, {{"name", "swin"}, {"absolute_position", true}}),
                                         {{"name", "linear"}}},
                             VariantCase{"vit_with_absolute_positions_and_inverse_swin",
                                         {{"name", "vit"},
                                          {"patch", 8},
                                          {"dim", 32},
                                          {"depth", 2},
                                          {"heads", 2},
                                          {"absolute_position", true},
                                          {"checkpointing", true}},
                                         kInverse}),
                         [](const auto& row) { return row.param.name; });

TEST(Swinv2, KeepsTheWindowsOfItsPreTrainingAtAnotherSize) {
  const Folder folder;
  const Json overrides = {{"encoder", with(kSwin, {{"name", "swinv2"}})}, {"finetune.data.image_size", 64}};
  const Json entries = resolve(folder.path, {"pretrain", "finetune"}, overrides);
  EXPECT_EQ(entries[0]["config"]["encoder"]["window"], 4);
  EXPECT_EQ(entries[0]["config"]["encoder"]["pretrained_window"], (Json{4, 4}));
  EXPECT_EQ(entries[1]["config"]["encoder"]["window"], 8);
  EXPECT_EQ(entries[1]["config"]["encoder"]["pretrained_window"], (Json{4, 4}));
}

TEST(Checkpointing, IsNoPartOfARunsId) {
  const Folder folder;
  const auto id = [&](bool on) { return resolve(folder.path, {"pretrain"}, {{"encoder.checkpointing", on}})[0]["id"]; };
  EXPECT_EQ(id(true), id(false));
}

TEST(Checkpointing, CostsAForwardPassMore) {
  const Folder folder;
  const auto plan = [&](bool on) {
    return resolve(folder.path, {"pretrain"}, {{"encoder.checkpointing", on}})[0]["plan"];
  };
  const Json plain = plan(false), checkpointed = plan(true);
  EXPECT_DOUBLE_EQ(checkpointed["flops"].get<double>() - plain["flops"].get<double>(),
                   plain["flops_per_image"].get<double>() * plain["images"].get<double>());
  EXPECT_LT(checkpointed["memory"].get<double>(), plain["memory"].get<double>());
}

}  // namespace
}  // namespace simmim
