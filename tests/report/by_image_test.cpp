#include "report/by_image.h"

#include <gtest/gtest.h>

#include "runs/sample_runs.h"
#include "weights/tensor_file.h"

namespace simmim {
namespace {

struct Predictions {
  TemporaryFolder folder;
  fs::path out = folder.path;
  void write(const std::string& run, const std::vector<int64_t>& said, int64_t first_image = 0) const {
    std::vector<int64_t> index(said.size()), label(said.size(), 1);
    for (size_t i = 0; i < index.size(); ++i) index[i] = first_image + static_cast<int64_t>(i);
    const auto view = [](const std::vector<int64_t>& v) {
      return TensorView{
          DType::i64, {static_cast<int64_t>(v.size())}, {reinterpret_cast<const char*>(v.data()), 8 * v.size()}};
    };
    make_folder(run_path(out, run));
    write_safetensors(run_path(out, run) / "eval.safetensors",
                      {{"index", view(index)}, {"label", view(label)}, {"prediction", view(said)}});
  }
};

// scipy.stats.ttest_rel of the ten pairs of 0 and 100: t = 1, p = 0.3434.
TEST(CompareByImage, IsThePairedTestOverTheImages) {
  const Predictions runs;
  runs.write("a", {1, 1, 1, 1, 1, 0, 0, 0, 1, 1});
  runs.write("b", {1, 1, 1, 1, 1, 1, 1, 1, 0, 1});
  const auto found = compare_by_image(runs.out, {"a"}, {"b"});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->images, 10);
  EXPECT_NEAR(found->difference.value, 20, 1e-9);
  EXPECT_NEAR(found->difference.t, 1, 1e-9);
  EXPECT_NEAR(found->difference.p, 0.34343639613791355, 1e-9);
  EXPECT_EQ(found->only_first, 1);
  EXPECT_EQ(found->only_second, 3);
}

TEST(CompareByImage, AveragesSeedsImageByImage) {
  const Predictions runs;
  runs.write("a0", {1, 1, 0, 0});
  runs.write("a1", {1, 0, 0, 0});
  runs.write("b", {1, 1, 1, 0});
  const auto found = compare_by_image(runs.out, {"a0", "a1"}, {"b"});
  ASSERT_TRUE(found);
  EXPECT_NEAR(found->difference.value, 37.5, 1e-9);  // 0, 50, 100, 0
}

TEST(CompareByImage, NeedsPredictionsOfTheSameImages) {
  const Predictions runs;
  runs.write("a", {1, 0, 1});
  runs.write("longer", {1, 0, 1, 1});
  runs.write("others", {1, 0, 1}, 5);
  EXPECT_FALSE(compare_by_image(runs.out, {"a"}, {"none"}));
  EXPECT_FALSE(compare_by_image(runs.out, {"a"}, {"longer"}));
  EXPECT_FALSE(compare_by_image(runs.out, {"a"}, {"others"}));
  EXPECT_FALSE(compare_by_image(runs.out, {"a", "others"}, {"a"}));
  EXPECT_TRUE(compare_by_image(runs.out, {"a"}, {"a"}));
}

}  // namespace
}  // namespace simmim
