// A run that is stopped and continued ends with the same bits as one that was not.
#include "training.h"

namespace simmim {
namespace {

using namespace testing_support;

struct ResumeCase {
  std::string name;
  std::vector<std::string> stages;  // the last one is stopped and resumed
  Json overrides;
  int64_t stop = 0;
  int threads = 1;
};

void PrintTo(const ResumeCase& c, std::ostream* out) { *out << c.name; }

class Resume : public testing::TestWithParam<ResumeCase> {};

TEST_P(Resume, GivesTheSameBitsAsNeverStopping) {
  const ResumeCase& c = GetParam();
  at::set_num_threads(c.threads);
  const Folder whole, pieces;
  const Json entries = resolve(whole.path, c.stages, c.overrides);
  const std::string id = entries.back()["id"];
  for (const Json& entry : entries) ASSERT_EQ(run(entry, whole.path)["state"], "done");
  for (const Json& entry : entries) {
    if (entry["id"] != id) {
      ASSERT_EQ(run(entry, pieces.path)["state"], "done");
      continue;
    }
    ASSERT_EQ(run(entry, pieces.path, stop_at(c.stop))["state"], "interrupted");
    EXPECT_EQ(read_record(run_path(pieces.path, id))["state"], "interrupted");
    ASSERT_EQ(run(entry, pieces.path)["state"], "done");
  }
  at::set_num_threads(1);
  const auto bytes = [&](const Folder& folder) { return read_file(run_path(folder.path, id) / "final.safetensors"); };
  EXPECT_TRUE(bytes(whole) == bytes(pieces)) << "the final weights differ";
  EXPECT_EQ(journal(whole.path, id), journal(pieces.path, id));
  const Json one = read_record(run_path(whole.path, id))["summary"],
             two = read_record(run_path(pieces.path, id))["summary"];
  for (const char* key : {"train_loss", "val_loss", "val_top1", "test_top1", "steps", "images_seen"})
    EXPECT_EQ(one.value(key, Json()), two.value(key, Json())) << key;
}

std::vector<ResumeCase> resume_cases() {
  const Json swin = {
      {"encoder", {{"name", "swin"}, {"patch", 2}, {"dim", 8}, {"depths", {2, 2}}, {"heads", {1, 2}}, {"window", 4}}}};
  Json drop_path = {{"encoder.drop_path", 0.2}, {"pretrain.accumulate", 2}};
  // The position table's gradient must not depend on how threads share it (N = 197 tokens, 12 heads).
  const Json real_bias = {{"data", {{"name", "fashion_mnist"}, {"limit", 40}, {"image_size", 224}, {"workers", 1}}},
                          {"encoder", {{"name", "vit"}, {"patch", 16}, {"dim", 96}, {"depth", 1}, {"heads", 12}}},
                          {"mask.patch", 32},
                          {"pretrain", {{"batch_size", 4}, {"epochs", 1}}}};
  const Json all_augmentations = {{"finetune",
                                   {{"augment", {{"randaugment", "rand-m9-mstd0.5-inc1"}, {"erasing", 0.5}}},
                                    {"mixup", 0.8},
                                    {"cutmix", 1.0},
                                    {"drop_path", 0.2},
                                    {"accumulate", 2},
                                    {"ema", 0.9},
                                    {"select", "best"}}}};
  return {
      {"in_the_middle_of_an_epoch", {"pretrain"}, Json::object(), 5},
      {"at_the_end_of_an_epoch", {"pretrain"}, Json::object(), 8},
      {"with_drop_path_and_pieces", {"pretrain"}, drop_path, 3},
      {"of_swin", {"pretrain"}, swin, 5},
      {"in_bf16", {"pretrain"}, {{"precision", "bf16"}}, 5},
      {"of_fine_tuning", {"pretrain", "finetune"}, Json::object(), 10},
      {"of_fine_tuning_that_keeps_the_best", {"pretrain", "finetune"}, {{"finetune.select", "best"}}, 10},
      {"of_fine_tuning_with_every_augmentation", {"pretrain", "finetune"}, all_augmentations, 10},
      {"from_scratch_with_few_labels", {"finetune"}, {{"finetune.from", "scratch"}, {"finetune.limit_labels", 100}}, 4},
      {"with_the_bias_of_a_real_size_on_two_threads", {"pretrain"}, real_bias, 4, 2}};
}

INSTANTIATE_TEST_SUITE_P(Runs, Resume, testing::ValuesIn(resume_cases()),
                         [](const auto& tested) { return tested.param.name; });

TEST(Run, IsReusedWhenItIsDoneAndStartedOverWhenAskedTo) {
  const Folder folder;
  const Json entry = resolve(folder.path, {"pretrain"}, {{"pretrain.epochs", 1}})[0];
  run(entry, folder.path);
  const fs::path final_weights = run_path(folder.path, entry["id"]) / "final.safetensors";
  const std::string bytes = read_file(final_weights);
  EXPECT_TRUE(run(entry, folder.path).value("reused", false));
  const Json again = run(
      entry, folder.path, [](const Json&) {}, /*fresh=*/true);
  EXPECT_FALSE(again.value("reused", false));
  EXPECT_TRUE(bytes == read_file(final_weights));
}

TEST(Run, DoesNotDependOnTheNumberOfWorkers) {
  const Folder folder, other;
  const Json none = resolve(folder.path, {"pretrain"}, {{"data.workers", 0}, {"pretrain.epochs", 1}})[0];
  const Json three = resolve(other.path, {"pretrain"}, {{"data.workers", 3}, {"pretrain.epochs", 1}})[0];
  ASSERT_EQ(none["id"], three["id"]);
  run(none, folder.path);
  run(three, other.path);
  EXPECT_TRUE(read_file(run_path(folder.path, none["id"]) / "final.safetensors") ==
              read_file(run_path(other.path, none["id"]) / "final.safetensors"));
}

TEST(Run, SkipsNonFiniteStepsAndStopsAfterTooManyInARow) {
  const Folder folder;
  // A rate that throws the weights out of the range of floats within a step or two.
  const Json entry =
      resolve(folder.path, {"pretrain"},
              {{"pretrain.lr", 1e30}, {"pretrain.warmup_epochs", 0}, {"pretrain.max_skipped_steps", 3}})[0];
  try {
    run(entry, folder.path);
    FAIL() << "the run went on";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::run_failed);
    EXPECT_NE(std::string(error.what()).find("not finite in 3 steps in a row"), std::string::npos) << error.what();
  }
  const fs::path path = run_path(folder.path, entry["id"]);
  EXPECT_EQ(read_record(path)["state"], "failed");
  int reports = 0;
  for (const auto& file : fs::directory_iterator(path / "crash")) {
    const Json report = read_json_file(file.path());
    EXPECT_EQ(report["images"].size(), 32u);
    EXPECT_EQ(report["masks"].size(), 32u);
    EXPECT_TRUE(report.contains("gradients") && report.contains("lr"));
    ASSERT_EQ(report["blocks"].size(), 2u);
    for (const Json& block : report["blocks"])
      EXPECT_TRUE(block.contains("largest_activation") && block.contains("grad_norm"));
    ++reports;
  }
  EXPECT_EQ(reports, 3);
}

TEST(Run, OfFineTuningLearnsFromItsPreTraining) {
  const Folder folder;
  const Json entries = resolve(folder.path, {"pretrain", "finetune", "probe"}, {{"probe.epochs", 3}});
  for (const Json& entry : entries) run(entry, folder.path);
  EXPECT_EQ(entries[1]["parent"], entries[0]["id"]);
  EXPECT_EQ(entries[2]["parent"], entries[0]["id"]);
  for (const size_t i : {1u, 2u}) {
    const Json summary = read_record(run_path(folder.path, entries[i]["id"]))["summary"];
    EXPECT_GT(summary["test_top1"].get<double>(), 15) << entries[i]["kind"];  // chance is 10
    EXPECT_TRUE(fs::exists(run_path(folder.path, entries[i]["id"]) / "eval.safetensors"));
  }
  EXPECT_TRUE(fs::exists(run_path(folder.path, entries[0]["id"]) / "reconstruction.png"));
}

}  // namespace
}  // namespace simmim
