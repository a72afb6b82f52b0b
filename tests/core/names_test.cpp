#include "core/names.h"

#include <gtest/gtest.h>

namespace simmim {
namespace {

TEST(Nearest, FindsAMisspeltNameAndLeavesAStrangerAlone) {
  const std::vector<std::string> known = {"random", "square", "blockwise"};
  EXPECT_EQ(nearest("ramdom", known), "random");
  EXPECT_EQ(nearest("blockwize", known), "blockwise");
  EXPECT_EQ(nearest("sqare", known), "square");
  EXPECT_EQ(nearest("vit", known), "");
  EXPECT_EQ(nearest("", known), "");
  EXPECT_EQ(nearest("a", {}), "");
}

TEST(Nearest, PrefersTheCloserName) { EXPECT_EQ(nearest("crop_scal", {"crop_ratio", "crop_scale"}), "crop_scale"); }

TEST(OneOf, ReadsAsASentence) {
  EXPECT_EQ(one_of({}), "");
  EXPECT_EQ(one_of({"a"}), "a");
  EXPECT_EQ(one_of({"a", "b"}), "a or b");
  EXPECT_EQ(one_of({"a", "b", "c"}), "a, b or c");
}

TEST(UnknownNameHint, NamesTheNearestAndTheList) {
  EXPECT_EQ(unknown_name_hint("ratoi", {"patch", "ratio"}), "; did you mean 'ratio'? known: patch or ratio");
  EXPECT_EQ(unknown_name_hint("zzz", {"patch", "ratio"}), "; known: patch or ratio");
  EXPECT_EQ(unknown_name_hint("zzz", {}), "");
}

TEST(Text, SplitsJoinsAndTrims) {
  EXPECT_EQ(split("a.b..c", '.'), (std::vector<std::string>{"a", "b", "", "c"}));
  EXPECT_EQ(split("", '.'), std::vector<std::string>{""});
  EXPECT_EQ(join({"a", "b"}, ", "), "a, b");
  EXPECT_EQ(trim(" \ta b\r\n"), "a b");
  EXPECT_EQ(trim(" \n"), "");
}

}  // namespace
}  // namespace simmim
