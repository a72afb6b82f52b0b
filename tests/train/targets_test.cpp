// Every kind of target trains end to end, and runs share what is fitted for them.
#include "training.h"
#include "weights/tensor_file.h"

namespace simmim {
namespace {

using namespace testing_support;

constexpr int kClusters = 16;

Json clusters(const Json& more = Json::object()) {
  Json block = {
      {"name", "color_clusters"}, {"clusters", kClusters}, {"fit", {{"images", 100}, {"steps", 20}, {"batch", 256}}}};
  block.update(more);
  return {{"target", block}, {"loss", {{"name", "cross_entropy"}}}};
}

struct TargetCase {
  std::string name;
  Json overrides;
};

void PrintTo(const TargetCase& c, std::ostream* out) { *out << c.name; }

class Training : public testing::TestWithParam<TargetCase> {};

// The validation's "key" of each epoch.
std::vector<double> validations(const fs::path& out, const std::string& id, const std::string& key) {
  std::vector<double> values;
  for (const std::string& line : journal(out, id))
    if (const Json metrics = Json::parse(line); metrics.contains(key)) values.push_back(metrics[key]);
  return values;
}

constexpr size_t kEpochs = 8;

TEST_P(Training, LowersTheLossOfEveryTarget) {
  const Folder folder;
  Json overrides = GetParam().overrides;
  overrides["pretrain"] = {{"epochs", kEpochs}, {"lr", 3e-3}};
  const Json entry = resolve(folder.path, {"pretrain"}, overrides)[0];
  const std::string id = entry["id"];
  ASSERT_EQ(run(entry, folder.path)["state"], "done");
  const std::vector<double> loss = validations(folder.path, id, "val.loss");
  ASSERT_EQ(loss.size(), kEpochs);
  EXPECT_LT(loss.back(), 0.97 * loss.front());
  const bool classes = overrides.value("loss", Json::object()).value("name", "") == "cross_entropy";
  const std::vector<double> accuracy = validations(folder.path, id, "val.accuracy"),
                            perplexity = validations(folder.path, id, "val.perplexity");
  EXPECT_EQ(accuracy.size(), classes ? kEpochs : 0u);
  if (!classes) return;
  if (GetParam().name == "color_bins")
    EXPECT_GT(accuracy.back(), accuracy.front());
  else  // the commonest cluster is learnt in the first epoch
    EXPECT_GT(accuracy.back(), 100. / kClusters);
  EXPECT_LE(accuracy.back(), 100);
  EXPECT_NEAR(perplexity.back(), std::exp(loss.back()), 1e-3);  // area=masked: the loss is the cross entropy
  EXPECT_EQ(read_record(run_path(folder.path, id))["summary"]["val_accuracy"].get<double>(), accuracy.back());
}

std::vector<TargetCase> target_cases() {
  return {{"l1", {{"loss", {{"name", "l1"}}}}},
          {"l2", {{"loss", {{"name", "l2"}}}}},
          {"smooth_l1", {{"loss", {{"name", "smooth_l1"}}}}},
          {"normalised_by_patch", {{"target", {{"normalise", "patch"}}}}},
          {"normalised_by_window", {{"target", {{"normalise", "window"}}}}},
          {"color_bins", {{"target", {{"name", "color_bins"}}}, {"loss", {{"name", "cross_entropy"}}}}},
          {"color_clusters", clusters()}};
}

INSTANTIATE_TEST_SUITE_P(Runs, Training, testing::ValuesIn(target_cases()),
                         [](const auto& tested) { return tested.param.name; });

std::vector<fs::path> shared_files(const fs::path& out) {
  std::vector<fs::path> files;
  for (const auto& file : fs::directory_iterator(out / "shared"))
    if (file.path().extension() == ".safetensors") files.push_back(file.path());
  return files;
}

TEST(FittedCenters, AreSharedByRunsOfTheSameDataAndOptions) {
  const Folder folder;
  Json overrides = clusters();
  overrides["pretrain"] = {{"epochs", 1}};
  const auto train = [&](const Json& more) {
    Json all = overrides;
    all.update(more);
    const Json entry = resolve(folder.path, {"pretrain"}, all)[0];
    run(entry, folder.path);
    return entry["id"].get<std::string>();
  };
  const std::string first = train(Json::object());
  ASSERT_EQ(shared_files(folder.path).size(), 1u);
  const fs::path centers = shared_files(folder.path)[0];
  const auto written = fs::last_write_time(centers);
  EXPECT_NE(train({{"seed", 1}, {"mask.ratio", 0.4}}), first);
  EXPECT_EQ(shared_files(folder.path), std::vector<fs::path>{centers});
  EXPECT_EQ(fs::last_write_time(centers), written);
  train({{"data", {{"name", "fashion_mnist"}, {"limit", 200}, {"workers", 1}}}});
  EXPECT_EQ(shared_files(folder.path).size(), 2u);

  // A checkpoint holds its centres: no other file is needed to use it.
  const TensorFile weights = TensorFile::open(run_path(folder.path, first) / "final.safetensors");
  const TensorView* kept = weights.find("target.centers");
  ASSERT_NE(kept, nullptr);
  EXPECT_EQ(kept->bytes, TensorFile::open(centers).find("centers")->bytes);
}

TEST(FittedCenters, OfACheckpointServeAPreTrainingThatStartsFromIt) {
  const Folder folder;
  Json overrides = clusters();
  overrides["pretrain"] = {{"epochs", 1}};
  const Json entry = resolve(folder.path, {"pretrain"}, overrides)[0];
  run(entry, folder.path);
  const fs::path weights = folder.path / "elsewhere.safetensors";
  fs::copy_file(run_path(folder.path, entry["id"]) / "final.safetensors", weights);
  fs::remove_all(folder.path / "shared");
  const Json next = resolve(folder.path, {"pretrain"}, {{"pretrain.epochs", 1}}, weights.string())[0];
  EXPECT_EQ(next["config"]["target"]["centers"], "checkpoint");
  run(next, folder.path);
  EXPECT_FALSE(fs::exists(folder.path / "shared"));
  EXPECT_EQ(TensorFile::open(run_path(folder.path, next["id"]) / "final.safetensors").find("target.centers")->bytes,
            TensorFile::open(weights).find("target.centers")->bytes);
}

}  // namespace
}  // namespace simmim
