// Every row of every table trains a few steps, whatever is added to it: masks, encoders, heads, targets, losses.
#include <cmath>

#include "config/sections.h"
#include "encoders/encoders.h"
#include "heads/heads.h"
#include "losses/losses.h"
#include "masks/mask.h"
#include "targets/targets.h"
#include "training.h"

namespace simmim {
namespace {

using namespace testing_support;

// Two steps with these options: the loss of both is a number, and the run ends as done.
void train(const Json& overrides) {
  const Folder folder;
  Json all = overrides;
  all.update({{"data.limit", 64}, {"data.workers", 0}});
  all["pretrain"] = {{"epochs", "auto"},   {"steps", 2},      {"batch_size", 16},
                     {"warmup_epochs", 0}, {"val_epochs", 0}, {"log_steps", 1}};
  const Json entry = resolve(folder.path, {"pretrain"}, all)[0];
  EXPECT_EQ(run(entry, folder.path)["state"], "done") << overrides.dump();
  int losses = 0;
  for (const std::string& text : journal(folder.path, entry["id"]))
    if (const Json line = Json::parse(text); line.contains("loss"))
      losses += line["loss"].is_number() && std::isfinite(line["loss"].get<double>());
  EXPECT_EQ(losses, 2) << overrides.dump();
}

// Where the defaults are no work of a moment, or name no file.
Json small(const std::string& name) {
  if (name == "swin" || name == "swinv2") return {{"patch", 4}, {"dim", 16}, {"depths", {1, 1}}, {"heads", {1, 2}}};
  if (name == "vit") return {{"patch", 8}, {"dim", 32}, {"depth", 1}, {"heads", 2}};
  if (name == "inverse_swin") return {{"dim", 16}, {"depths", {1, 1}}, {"heads", {2, 1}}};
  if (name == "color_clusters") return {{"clusters", 8}, {"fit", {{"images", 20}, {"steps", 5}, {"batch", 64}}}};
  if (name == "dvae_tokens") return {{"tokenizer", SIMMIM_SOURCE_DIR "/tests/targets/files/encoder.pkl"}};
  return Json::object();
}

Json named(const std::string& name, const Json& more = Json::object()) {
  Json block = {{"name", name}};
  block.update(small(name));
  block.update(more);
  return block;
}

bool yields_classes(const std::string& target) {
  const auto made =
      find_variant(targets(), named(target), "target").make(named(target), {.image_size = 32, .cells = 4});
  return made->classes() > 0;
}

std::string a_loss_for(const std::string& target) { return yields_classes(target) ? "cross_entropy" : "l1"; }

TEST(EveryMask, Trains) {
  for (const auto& row : masks())
    for (const int64_t patch : {8, 16}) train({{"mask", named(row.name, {{"patch", patch}, {"ratio", 0.5}})}});
}

TEST(EveryEncoder, Trains) {
  for (const auto& row : encoders()) train({{"encoder", named(row.name)}});
}

TEST(EveryHead, Trains) {
  for (const auto& row : heads()) train({{"head", named(row.name)}});
}

TEST(EveryTarget, TrainsAtItsOwnAndAtAnotherResolution) {
  for (const auto& row : targets())
    for (const Json& resolution : {Json("auto"), Json(16)})
      train({{"target", named(row.name, {{"resolution", resolution}})}, {"loss.name", a_loss_for(row.name)}});
}

TEST(EveryTarget, TrainsWithAnotherNumberOfBinsAndEveryNormalisation) {
  for (const int64_t bins : {2, 256})
    train({{"target", named("color_bins", {{"bins", bins}})}, {"loss.name", "cross_entropy"}});
  for (const char* normalise : {"patch", "window"}) train({{"target", named("pixels", {{"normalise", normalise}})}});
}

TEST(EveryLoss, TrainsOnTheMaskedPixelsAndOnAll) {
  for (const auto& row : losses())
    for (const Json& area : {Json{{"area", "masked"}, {"partial", "any"}},
                             Json{{"area", "masked"}, {"partial", "full"}}, Json{{"area", "all"}}})
      train({{"loss", named(row.name, area)},
             {"target.name", row.name == "cross_entropy" ? "color_bins" : "pixels"},
             {"target.resolution", 8}});
}

}  // namespace
}  // namespace simmim
