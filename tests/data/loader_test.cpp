#include "data/loader.h"

#include <gtest/gtest.h>

#include <set>

#include "data/support.h"

namespace simmim {
namespace {

using testing_data::error_of;
using testing_data::FakeSource;

Dataset fake_images(int64_t train, std::vector<int64_t> bad = {}) {
  return Dataset(std::make_unique<FakeSource>(train, 0, 4, std::move(bad)), {.holdout = 0});
}

std::vector<Batch> take(Loader& loader, int64_t count) {
  std::vector<Batch> out;
  for (int64_t i = 0; i < count; ++i) {
    const Batch* batch = loader.next();
    if (batch == nullptr) break;
    out.push_back(*batch);
  }
  return out;
}

void expect_equal(const std::vector<Batch>& a, const std::vector<Batch>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].epoch, b[i].epoch);
    EXPECT_EQ(a[i].step, b[i].step);
    EXPECT_EQ(a[i].indices, b[i].indices);
    EXPECT_EQ(a[i].labels, b[i].labels);
    EXPECT_TRUE(a[i].pixels == b[i].pixels) << "pixels of batch " << i;
  }
}

TEST(Loader, GivesTheSameBatchesForAnyNumberOfWorkers) {
  const Dataset data = fake_images(103, {5, 6, 50});
  LoaderOptions options{.batch_size = 20, .image_size = 16, .workers = 0, .seed = 9};
  Loader none(data, options);
  const auto expected = take(none, 17);
  for (int64_t workers : {1, 2, 7}) {
    options.workers = workers;
    Loader some(data, options);
    expect_equal(take(some, 17), expected);
    EXPECT_EQ(some.skipped().size(), none.skipped().size());
  }
}

// Everything that fine-tuning may do to an image.
LoaderOptions all_augmentations(int64_t workers) {
  LoaderOptions options{.batch_size = 20, .image_size = 24, .workers = workers, .seed = 9, .fill = {124, 116, 104}};
  options.augment.interpolation = "bicubic";
  options.perturb.randaugment = "rand-m9-mstd0.5-inc1";
  options.perturb.erasing = 0.5;
  return options;
}

void expect_equal_erasures(const Batch& a, const Batch& b) {
  ASSERT_EQ(a.erasures.size(), b.erasures.size());
  for (size_t i = 0; i < a.erasures.size(); ++i) {
    ASSERT_EQ(a.erasures[i].size(), b.erasures[i].size());
    for (size_t k = 0; k < a.erasures[i].size(); ++k) {
      EXPECT_EQ(a.erasures[i][k].top, b.erasures[i][k].top);
      EXPECT_EQ(a.erasures[i][k].values, b.erasures[i][k].values);
    }
  }
}

TEST(Loader, AugmentsAlikeForAnyNumberOfWorkersAndFromAnyStep) {
  const Dataset data = fake_images(103, {5, 6, 50});
  Loader none(data, all_augmentations(0));
  const auto expected = take(none, 12);
  for (int64_t workers : {1, 3}) {
    Loader some(data, all_augmentations(workers));
    const auto batches = take(some, 12);
    expect_equal(batches, expected);
    for (size_t i = 0; i < 12; ++i) expect_equal_erasures(batches[i], expected[i]);
    some.seek(1, 3);
    const Batch again = *some.next();
    EXPECT_TRUE(again.pixels == expected[8].pixels);
    expect_equal_erasures(again, expected[8]);
  }
}

TEST(Loader, AugmentsOnlyWhatItIsAskedTo) {
  const Dataset data = fake_images(20);
  const auto pixels = [&](const auto& change) {
    LoaderOptions options = all_augmentations(0);
    options.perturb = {};
    change(options);
    Loader loader(data, options);
    return *loader.next();
  };
  const Batch plain = pixels([](LoaderOptions&) {});
  for (const auto& erasures : plain.erasures) EXPECT_TRUE(erasures.empty());
  const Batch random = pixels([](LoaderOptions& o) { o.perturb.randaugment = "rand-m9-mstd0.5-inc1"; });
  EXPECT_FALSE(random.pixels == plain.pixels);
  const Batch jittered = pixels([](LoaderOptions& o) { o.perturb.color_jitter = 0.4; });
  EXPECT_FALSE(jittered.pixels == plain.pixels);
  const Batch both = pixels([](LoaderOptions& o) {
    o.perturb.randaugment = "rand-m9-mstd0.5-inc1";
    o.perturb.color_jitter = 0.4;
  });
  EXPECT_TRUE(both.pixels == random.pixels) << "colour jitter is ignored beside RandAugment";
  const Batch erased = pixels([](LoaderOptions& o) { o.perturb.erasing = 1; });
  EXPECT_TRUE(erased.pixels == plain.pixels) << "rectangles are erased after normalisation";
  for (const auto& erasures : erased.erasures) EXPECT_LE(erasures.size(), 1u);
  const Batch centred = pixels([](LoaderOptions& o) {
    o.augment.enabled = false;
    o.perturb.randaugment = "rand-m9-p1";
    o.perturb.erasing = 1;
  });
  for (const auto& erasures : centred.erasures) EXPECT_TRUE(erasures.empty());
}

TEST(Loader, SeeksToAnyStep) {
  const Dataset data = fake_images(50);
  for (int64_t workers : {0, 2}) {
    const LoaderOptions options{.batch_size = 8, .image_size = 16, .workers = workers};
    Loader whole(data, options), part(data, options);
    const auto batches = take(whole, 20);
    part.seek(1, 5);
    expect_equal(take(part, 4), {batches.begin() + 11, batches.begin() + 15});
    part.next();
    part.seek(0, 0);
    expect_equal(take(part, 3), {batches.begin(), batches.begin() + 3});
  }
}

TEST(Loader, UsesEveryImageOnceAnEpochInANewOrder) {
  const Dataset data = fake_images(40);
  Loader loader(data, {.batch_size = 8, .image_size = 16});
  std::vector<int64_t> epochs[2];
  for (const Batch& batch : take(loader, 10))
    epochs[batch.epoch].insert(epochs[batch.epoch].end(), batch.indices.begin(), batch.indices.end());
  for (const auto& epoch : epochs) EXPECT_EQ(std::set<int64_t>(epoch.begin(), epoch.end()).size(), 40u);
  EXPECT_NE(epochs[0], epochs[1]);
}

TEST(Loader, CropsAnImageAnewEachEpochButAlikeInEveryOrder) {
  const Dataset data = fake_images(4);
  Loader loader(data, {.batch_size = 4, .image_size = 16, .workers = 0});
  Loader subset(data, {.batch_size = 1, .image_size = 16, .workers = 0, .subset = {2}});
  std::vector<std::vector<uint8_t>> seen;
  for (const Batch& batch : take(loader, 2)) {
    const auto at = std::find(batch.indices.begin(), batch.indices.end(), 2) - batch.indices.begin();
    seen.emplace_back(batch.pixels.begin() + at * 768, batch.pixels.begin() + (at + 1) * 768);
  }
  EXPECT_NE(seen[0], seen[1]);
  EXPECT_EQ(subset.next()->pixels, seen[0]);
  EXPECT_EQ(subset.next()->pixels, seen[1]);
}

TEST(Loader, EndsAfterAnEpochWithASmallerBatchWhenFinite) {
  const Dataset data = fake_images(21);
  for (int64_t workers : {0, 3}) {
    LoaderOptions options{.batch_size = 8, .image_size = 16, .workers = workers};
    options.augment.enabled = options.shuffle = options.drop_last = options.endless = false;
    Loader loader(data, options);
    EXPECT_EQ(loader.steps_per_epoch(), 3);
    const auto batches = take(loader, 99);
    ASSERT_EQ(batches.size(), 3u);
    EXPECT_EQ(batches[2].size(), 5);
    EXPECT_EQ(batches[1].indices.front(), 8);
    EXPECT_EQ(loader.next(), nullptr);
    loader.seek(0, 0);
    expect_equal(take(loader, 99), batches);
  }
}

TEST(Loader, PutsTheNextReadableImageInThePlaceOfABadOne) {
  const Dataset good = fake_images(32), bad = fake_images(32, {3, 4, 17});
  const LoaderOptions options{.batch_size = 32, .image_size = 16, .workers = 2};
  Loader expected(good, options), loader(bad, options);
  const Batch a = *expected.next(), b = *loader.next();
  for (size_t i = 0; i < 32; ++i) {
    if (a.indices[i] != 3 && a.indices[i] != 4 && a.indices[i] != 17)
      EXPECT_EQ(b.indices[i], a.indices[i]);
    else
      EXPECT_TRUE(b.indices[i] != 3 && b.indices[i] != 4 && b.indices[i] != 17);
    EXPECT_EQ(b.labels[i], b.indices[i] % 4);
  }
  loader.next();
  const auto skipped = loader.skipped();
  ASSERT_EQ(skipped.size(), 3u);
  EXPECT_EQ(skipped[0].index, 3);
  EXPECT_EQ(skipped[0].message, "0003: made unreadable");
}

TEST(Loader, LeavesABadImageOutOfAnEvaluation) {
  const Dataset data = fake_images(10, {1, 4, 5, 6, 7});
  LoaderOptions options{.batch_size = 4, .image_size = 16, .workers = 2};
  options.augment.enabled = options.shuffle = options.drop_last = options.endless = false;
  Loader loader(data, options);
  const auto batches = take(loader, 9);
  ASSERT_EQ(batches.size(), 2u);  // the second of three batches holds nothing readable
  EXPECT_EQ(batches[0].indices, (std::vector<int64_t>{0, 2, 3}));
  EXPECT_EQ(batches[0].labels, (std::vector<int64_t>{0, 2, 3}));
  EXPECT_EQ(batches[0].pixels.size(), 3u * 768);
  EXPECT_EQ(batches[1].indices, (std::vector<int64_t>{8, 9}));
}

TEST(Loader, ThrowsWhatItsWorkersMeet) {
  const Dataset data = fake_images(10, {6});
  for (int64_t workers : {0, 1, 4}) {
    Loader loader(data, {.batch_size = 10, .image_size = 16, .workers = workers, .fail_on_error = true});
    const auto [code, message] = error_of([&] { loader.next(); });
    EXPECT_EQ(code, Code::data);
    EXPECT_EQ(message, "0006: made unreadable");
  }
}

TEST(Loader, GivesUpWhereNoImageCanBeRead) {
  const Dataset data = fake_images(4, {0, 1, 2, 3});
  for (int64_t workers : {0, 2}) {
    Loader loader(data, {.batch_size = 2, .image_size = 16, .workers = workers});
    const auto [code, message] = error_of([&] { loader.next(); });
    EXPECT_EQ(code, Code::data);
    EXPECT_NE(message.find("4 images of train in a row cannot be read"), std::string::npos) << message;
  }
}

TEST(Loader, RefusesABatchLargerThanTheSplitAndAnEmptySplit) {
  const Dataset data = fake_images(10);
  EXPECT_EQ(error_of([&] { Loader(data, {.batch_size = 11}); }).second,
            "batch_size: 11 is more than the 10 images of the train split; choose at most 10");
  EXPECT_EQ(error_of([&] { Loader(data, {.split = Split::test}); }).first, Code::usage);
}

TEST(Loader, CanBeLeftInTheMiddleOfItsWork) {
  const Dataset data = fake_images(64);
  for (int i = 0; i < 20; ++i) {
    Loader loader(data, {.batch_size = 16, .image_size = 16, .workers = 3});
    if (i % 2 == 1) loader.next();
    if (i % 3 == 1) loader.seek(i, 1);
  }
}

}  // namespace
}  // namespace simmim
