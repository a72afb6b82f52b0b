#include "train/train_dvae.h"

#include <cmath>

#include "core/json.h"
#include "train/training.h"
#include "weights/tensor_file.h"

namespace simmim {
namespace {

using namespace testing_support;

// Too small for two threads.
DvaeOptions small_dvae() {
  at::set_num_threads(1);
  DvaeOptions options;
  options.hidden = 8, options.blocks = 1, options.vocabulary = 32, options.start = 16;
  options.steps = 250, options.batch_size = 32, options.warmup_steps = 5;
  return options;
}

StageSetup small_setup() { return make_setup(model_config({.layers = {{"base", small_config()}}}, "pretrain"), {}); }

const EventSink kSilent = [](const Json&) {};

TEST(TrainDvae, BringsImagesBackFromSeveralTokens) {
  const Folder folder;
  const StageSetup setup = small_setup();
  clear_interrupt();
  std::vector<double> losses;
  const Json result = train_dvae(setup, small_dvae(), folder.path / "t.safetensors", [&](const Json& event) {
    if (event["event"] == "epoch") losses.push_back(event["train_loss"]);
  });
  EXPECT_EQ(result["state"], "done");
  EXPECT_LT(losses.back(), losses.front() / 2);
  const Dvae untrained(small_dvae(), Dvae::Parts::both, {});
  const auto before = reconstruct_by_tokens(untrained, setup, Split::val, 32);
  const auto trained = load_dvae(folder.path / "t.safetensors", {});
  const auto after = reconstruct_by_tokens(*trained, setup, Split::val, 32);
  EXPECT_LT(after.rmse, before.rmse / 2);
  EXPECT_LT(after.rmse, 0.25);
  EXPECT_GT(after.tokens_used, 4);
  EXPECT_GT(after.perplexity, 2);
  EXPECT_LE(after.perplexity, static_cast<double>(after.tokens_used));
  EXPECT_EQ(after.to_json()["rmse"], result["rmse"]);
  EXPECT_EQ(after.images, setup.dataset->size(Split::val));
  const TensorFile file = TensorFile::open(folder.path / "t.safetensors");
  EXPECT_EQ(parse_json(file.metadata().at("config"), "config")["dvae"]["vocabulary"], 32);
}

TEST(TrainDvae, MakesATokenizerThatPretrainingPredicts) {
  const Folder folder;
  clear_interrupt();
  const std::string file = (folder.path / "t.safetensors").string();
  DvaeOptions short_training = small_dvae();
  short_training.steps = 30;
  train_dvae(small_setup(), short_training, file, kSilent);
  const Json keys = {{"target", {{"name", "dvae_tokens"}, {"tokenizer", file}}}, {"loss", {{"name", "cross_entropy"}}}};
  const Json entry = resolve(folder.path, {"pretrain"}, keys)[0];
  EXPECT_EQ(entry["config"]["target"]["resolution"], 8);
  EXPECT_EQ(entry["plan"]["head_channels"], 2 * 2 * 32);
  std::vector<double> losses;
  const Json result = run(entry, folder.path, [&](const Json& event) {
    if (event["event"] == "epoch") losses.push_back(event["train_loss"]);
  });
  EXPECT_EQ(result["state"], "done");
  EXPECT_LT(losses.back(), losses.front());
  EXPECT_LT(losses.back(), std::log(32.0));
  EXPECT_TRUE(fs::exists(run_path(folder.path, entry["id"]) / "reconstruction.png"));
  // Where the tokenizer lies is no part of the result.
  const TensorFile weights = TensorFile::open(run_path(folder.path, entry["id"]) / "final.safetensors");
  EXPECT_EQ(weights.metadata().at("config").find(file), std::string::npos);
}

TEST(TrainDvae, GoesOnBitForBitWhereItWasStopped) {
  for (const char* loss : {"l2", "logit_laplace"}) {
    const Folder folder;
    const StageSetup setup = small_setup();
    DvaeOptions options = small_dvae();
    options.steps = 12, options.loss = loss;
    clear_interrupt();
    train_dvae(setup, options, folder.path / "whole.safetensors", kSilent);
    const fs::path output = folder.path / "stopped.safetensors";
    const Json stopped = train_dvae(setup, options, output, stop_at(10));
    EXPECT_EQ(stopped["state"], "interrupted");
    EXPECT_FALSE(fs::exists(output));
    clear_interrupt();
    const Json result = train_dvae(setup, options, output, kSilent);
    EXPECT_EQ(result["state"], "done");
    EXPECT_EQ(result["steps"], 12);
    EXPECT_TRUE(read_file(output) == read_file(folder.path / "whole.safetensors"));
    EXPECT_FALSE(fs::exists(output.string() + ".partial"));
  }
}

TEST(TrainDvae, StartsAfreshBesideAPartialFileOfOtherOptions) {
  const Folder folder;
  const StageSetup setup = small_setup();
  DvaeOptions options = small_dvae();
  options.steps = 4;
  const fs::path output = folder.path / "t.safetensors";
  clear_interrupt();
  train_dvae(setup, options, output, stop_at(2));
  clear_interrupt();
  options.lr *= 2;
  std::vector<int64_t> steps;
  train_dvae(setup, options, output, [&](const Json& event) {
    if (event["event"] == "progress") steps.push_back(event["step"]);
  });
  EXPECT_EQ(steps.front(), 1);
}

TEST(TrainDvae, RefusesImagesThatDoNotHoldWholeTokens) {
  StageSetup setup = small_setup();
  setup.data.image_size = 30;
  try {
    train_dvae(setup, small_dvae(), "never written", kSilent);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).find("data.image_size: 30 is no multiple of the 4 pixels"), 0u) << error.what();
  }
}

}  // namespace
}  // namespace simmim
