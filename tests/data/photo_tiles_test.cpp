#include "data/photo_tiles.h"

#include <gtest/gtest.h>

#include <set>

#include "data/support.h"

namespace simmim {
namespace {

using testing_data::error_of;
using testing_data::pattern;
using testing_data::TemporaryFolder;

TEST(PhotoStrips, LieApartWithATileBetweenThem) {
  for (int64_t n = 20; n < 60; ++n) {
    const auto [train, val, test] = photo_strips(n).of_split;
    EXPECT_EQ(train.first, 0);
    EXPECT_EQ(val.first, train.second + 1);
    EXPECT_EQ(test.first, val.second + 1);
    EXPECT_EQ(test.second, n);
    EXPECT_GT(train.second, val.second - val.first);
    EXPECT_GE(val.second - val.first, 2);
  }
}

TEST(CutTiles, NeverGivesAPixelToTwoSplitsAndRunsAlongTheLongSide) {
  for (const bool wide : {true, false}) {
    Image photo = wide ? pattern(140, 64 * 30 + 9) : pattern(64 * 30 + 9, 140);
    for (int64_t y = 0; y < photo.h; ++y)  // blue tells how far along a pixel lies
      for (int64_t x = 0; x < photo.w; ++x)
        photo.rgb[static_cast<size_t>((y * photo.w + x) * 3 + 2)] = static_cast<uint8_t>((wide ? x : y) / 64);
    std::set<int> columns[3];
    for (int64_t split = 0; split < 3; ++split)
      for (const Image& tile : cut_tiles(photo, split)) {
        EXPECT_EQ(tile.h, 64);
        EXPECT_EQ(tile.w, 64);
        for (size_t at = 2; at < tile.rgb.size(); at += 3) columns[split].insert(tile.rgb[at]);
      }
    EXPECT_EQ(columns[0].size(), 16u);
    EXPECT_EQ(columns[1], (std::set<int>{17, 18, 19}));
    EXPECT_EQ(columns[2].size(), 9u);
    EXPECT_EQ(*columns[2].begin(), 21);
  }
}

TEST(CutTiles, LeavesFlatOnesOut) {
  Image photo;
  photo.resize(128, 64 * 20);
  std::fill(photo.rgb.begin(), photo.rgb.end(), uint8_t{90});
  EXPECT_TRUE(cut_tiles(photo, 0).empty());
}

TEST(PhotoRecipe, NamesEachPhotographOnce) {
  std::set<std::string> names, paths;
  for (const Photo& photo : photo_recipe()) {
    EXPECT_TRUE(names.insert(photo.name).second) << photo.name;
    EXPECT_TRUE(paths.insert(photo.path).second) << photo.path;
    EXPECT_EQ(std::string(photo.hash).size(), 32u);
  }
}

TEST(PhotoTiles, SayHowToGetThem) {
  const TemporaryFolder folder;
  const auto [code, message] = error_of([&] { open_dataset({.name = "photo_tiles", .root = folder.path().string()}); });
  EXPECT_EQ(code, Code::data);
  EXPECT_NE(message.find("simmim data fetch photo_tiles"), std::string::npos) << message;
}

TEST(FetchPhotoTiles, RefusesAFolderThatHoldsOtherThings) {
  const TemporaryFolder folder;
  folder.write("mine.txt", "x");
  EXPECT_NE(error_of([&] { fetch_photo_tiles(folder.path(), [](const std::string&) {}); }).second.find("is not empty"),
            std::string::npos);
}

TEST(Datasets, OfferEveryNameOfTheOption) {
  for (const FieldDescription& field : describe_fields<DataOptions>())
    if (field.name == "name") {
      std::vector<std::string> names;
      for (const DatasetRow& row : datasets()) names.push_back(row.name);
      EXPECT_EQ(std::set<std::string>(names.begin(), names.end()),
                std::set<std::string>(field.rule.choices.begin(), field.rule.choices.end()));
    }
}

}  // namespace
}  // namespace simmim
