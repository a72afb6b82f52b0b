#include "data/dataset.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "data/choose.h"
#include "data/statistics.h"
#include "data/support.h"

namespace simmim {
namespace {

using testing_data::error_of;
using testing_data::FakeSource;
using testing_data::TemporaryCache;

Dataset fake(int64_t train, int64_t test, int64_t classes, DataOptions options = {}, std::vector<int64_t> bad = {}) {
  return Dataset(std::make_unique<FakeSource>(train, test, classes, std::move(bad)), options);
}

std::set<std::string> names(const Dataset& data, Split split) {
  std::set<std::string> out;
  for (int64_t i = 0; i < data.size(split); ++i) out.insert(data.item_name(split, i));
  return out;
}

TEST(Holdout, TakesItsShareOfEveryClassOutOfTrain) {
  const Dataset data = fake(200, 10, 10);
  EXPECT_EQ(data.size(Split::train), 180);
  EXPECT_EQ(data.size(Split::val), 20);
  EXPECT_EQ(data.size(Split::test), 10);
  EXPECT_TRUE(data.held_out());
  std::map<int64_t, int64_t> of_class;
  for (int64_t label : data.labels(Split::val)) ++of_class[label];
  for (const auto& [label, count] : of_class) EXPECT_EQ(count, 2) << label;
  std::set<std::string> all = names(data, Split::train);
  all.merge(names(data, Split::val));
  EXPECT_EQ(all.size(), 200u);
}

TEST(Holdout, DependsOnTheSplitSeedOnly) {
  EXPECT_EQ(names(fake(200, 0, 10, {.limit = 50}), Split::val), names(fake(200, 0, 10, {.limit = 50}), Split::val));
  EXPECT_EQ(names(fake(200, 0, 10), Split::val), names(fake(200, 9, 10), Split::val));
  EXPECT_NE(names(fake(200, 0, 10), Split::val), names(fake(200, 0, 10, {.split_seed = 1}), Split::val));
}

TEST(Holdout, OfZeroLeavesNoVal) {
  const Dataset data = fake(200, 10, 10, {.holdout = 0});
  EXPECT_FALSE(data.has(Split::val));
  EXPECT_EQ(data.size(Split::train), 200);
}

TEST(Holdout, CountsImagesFromOneUp) {
  EXPECT_EQ(fake(200, 10, 7, {.holdout = 33}).size(Split::val), 33);
  const auto [code, message] = error_of([] { fake(20, 0, 2, {.holdout = 20}); });
  EXPECT_EQ(code, Code::usage);
  EXPECT_TRUE(message.starts_with("data.holdout: 20 images of 20")) << message;
}

TEST(Limit, KeepsAtMostThatManyOfEachSplitBalancedByClass) {
  const Dataset data = fake(200, 60, 10, {.limit = 20});
  EXPECT_EQ(data.size(Split::train), 20);
  EXPECT_EQ(data.size(Split::val), 20);
  EXPECT_EQ(data.size(Split::test), 20);
  std::map<int64_t, int64_t> of_class;
  for (int64_t label : data.labels(Split::train)) ++of_class[label];
  for (const auto& [label, count] : of_class) EXPECT_EQ(count, 2) << label;
}

TEST(BalancedSubset, HasEqualNumbersOfEachClassAndGrowsByInclusion) {
  const Dataset data = fake(400, 0, 10);
  const auto small = balanced_subset(data, Split::train, 50, 3), large = balanced_subset(data, Split::train, 100, 3);
  EXPECT_EQ(large.size(), 100u);
  std::map<int64_t, int64_t> of_class;
  for (int64_t i : large) ++of_class[data.label(Split::train, i)];
  for (const auto& [label, count] : of_class) EXPECT_EQ(count, 10) << label;
  EXPECT_TRUE(std::includes(large.begin(), large.end(), small.begin(), small.end()));
  EXPECT_NE(small, balanced_subset(data, Split::train, 50, 4));
  EXPECT_EQ(small, balanced_subset(data, Split::train, 50, 3));
}

TEST(BalancedSubset, SaysWhatIsPossible) {
  const Dataset data = fake(40, 0, 10, {.holdout = 0});
  EXPECT_NE(error_of([&] { balanced_subset(data, Split::train, 50, 0); }).second.find("choose at most 40"),
            std::string::npos);
  EXPECT_EQ(error_of([&] { balanced_subset(data, Split::train, 5, 0); }).first, Code::usage);
  const Dataset unlabelled = fake(40, 0, 0);
  EXPECT_NE(error_of([&] { balanced_subset(unlabelled, Split::train, 5, 0); }).second.find("no labels"),
            std::string::npos);
}

TEST(ChooseEqually, GivesSmallClassesWholeAndSharesTheRest) {
  std::vector<int64_t> labels(20, 0);
  labels.insert(labels.end(), 3, 1);
  labels.insert(labels.end(), 20, 2);
  std::map<int64_t, int64_t> of_class;
  for (int64_t i : choose_equally(labels, 23, 0, "x")) ++of_class[labels[static_cast<size_t>(i)]];
  EXPECT_EQ(of_class, (std::map<int64_t, int64_t>{{0, 10}, {1, 3}, {2, 10}}));
}

TEST(Fingerprint, DependsOnNamesSizesLabelsAndSplitsButNotOnTheOptions) {
  const std::string base = fake(200, 10, 10).fingerprint();
  EXPECT_EQ(base.size(), 32u);
  EXPECT_EQ(base, fake(200, 10, 10, {.holdout = 0, .split_seed = 5, .limit = 3}).fingerprint());
  EXPECT_NE(base, fake(199, 10, 10).fingerprint());
  EXPECT_NE(base, fake(200, 11, 10).fingerprint());
  EXPECT_NE(base, fake(200, 10, 9).fingerprint());
  EXPECT_NE(base, fake(200, 10, 10, {.verify = true}).fingerprint());
}

TEST(ImageCache, HoldsTheSamePixelsAndDecodesEachImageOnce) {
  TemporaryCache cache;
  auto source = std::make_unique<FakeSource>(30, 5, 3, std::vector<int64_t>{4}, true);
  const FakeSource& counted = *source;
  const Dataset first(std::move(source), {.holdout = 0});
  EXPECT_EQ(counted.loads, 35);
  const Image image = first.load(Split::train, 7);
  EXPECT_EQ(image.rgb, testing_data::pattern(20 + 7 % 5, 24 - 7 % 3, 7).rgb);
  EXPECT_EQ(counted.loads, 35);
  EXPECT_EQ(error_of([&] { first.load(Split::train, 4); }).second, "0004: made unreadable");

  auto again = std::make_unique<FakeSource>(30, 5, 3, std::vector<int64_t>{4}, true);
  const FakeSource& untouched = *again;
  const Dataset second(std::move(again), {.holdout = 0});
  EXPECT_EQ(second.load(Split::test, 3).rgb, first.load(Split::test, 3).rgb);
  EXPECT_EQ(untouched.loads, 0);
}

TEST(ImageCache, ThatIsDamagedIsMadeAnew) {
  TemporaryCache cache;
  const auto open = [] {
    return Dataset(std::make_unique<FakeSource>(8, 0, 2, std::vector<int64_t>{}, true), {.holdout = 0});
  };
  const Image image = open().load(Split::train, 7);
  for (const auto& entry : fs::directory_iterator(cache.path()))
    if (entry.path().extension() == ".bin") fs::resize_file(entry.path(), 30);
  EXPECT_EQ(open().load(Split::train, 7).rgb, image.rgb);
}

TEST(ImageCache, ThatCannotBeWrittenIsDoneWithout) {
  ::setenv("XDG_CACHE_HOME", "/dev/null/nowhere", 1);
  const Dataset data(std::make_unique<FakeSource>(8, 0, 2, std::vector<int64_t>{}, true), {.holdout = 0});
  ::unsetenv("XDG_CACHE_HOME");
  EXPECT_EQ(data.load(Split::train, 7).rgb, testing_data::pattern(20 + 7 % 5, 24 - 7 % 3, 7).rgb);
}

TEST(Measure, GivesTheMeanAndDeviationOfThePixels) {
  const Dataset data = fake(1, 0, 0);
  const Image image = data.load(Split::train, 0);
  double sum = 0, squares = 0;
  for (size_t i = 1; i < image.rgb.size(); i += 3) sum += image.rgb[i], squares += image.rgb[i] * image.rgb[i];
  const double n = static_cast<double>(image.rgb.size() / 3), mean = sum / n;
  const Normalisation measured = measure(data, Split::train);
  EXPECT_NEAR(measured.mean[1], mean / 255, 1e-12);
  EXPECT_NEAR(measured.std[1], std::sqrt(squares / n - mean * mean) / 255, 1e-12);
}

TEST(Normalisation, IsImageNetsForColourAndTheDataSetsForGreyUnlessToldOtherwise) {
  EXPECT_DOUBLE_EQ(resolve_normalisation({.name = "cifar10"}, nullptr).mean[0], 0.485);
  EXPECT_DOUBLE_EQ(resolve_normalisation({.name = "fashion_mnist"}, nullptr).std[2], 0.3530);
  EXPECT_DOUBLE_EQ(resolve_normalisation({.mean = Json{0.1, 0.2, 0.3}}, nullptr).mean[2], 0.3);
  EXPECT_DOUBLE_EQ(resolve_normalisation({.mean = 0.5}, nullptr).mean[2], 0.5);
  EXPECT_TRUE(needs_measuring({.std = "measure"}));
  for (const Json& bad : {Json("imagnet"), Json{0.1, 0.2}, Json{0, 0, 0}, Json(true)}) {
    const auto [code, message] = error_of([&] { resolve_normalisation({.std = bad}, nullptr); });
    EXPECT_EQ(code, Code::usage);
    EXPECT_TRUE(message.starts_with("data.std: got ")) << message;
  }
}

TEST(OpenDataset, NamesTheUnknownAndTheMissing) {
  EXPECT_EQ(error_of([] { open_dataset({.name = "fashion_mnits"}); }).second.substr(0, 10), "data.name:");
  const auto [code, message] = error_of([] { open_dataset({.root = "/nowhere"}); });
  EXPECT_EQ(code, Code::data);
  EXPECT_EQ(message,
            "data.root: no folder /nowhere for fashion_mnist; install Debian's dataset-fashion-mnist, or give "
            "data.root=FOLDER");
}

}  // namespace
}  // namespace simmim
