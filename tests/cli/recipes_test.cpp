// Every file in sweeps/ is valid, whether its data are at hand or not; the fidelity report; masks as pictures.
#include <gtest/gtest.h>

#include "cli/process.h"
#include "temporary.h"

namespace simmim {
namespace {

using Words = std::vector<std::string>;

std::vector<std::string> files() {
  std::vector<std::string> found;
  const fs::path folder = fs::path(SIMMIM_SOURCE_DIR) / "sweeps";
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.path().extension() == ".json")
      found.push_back(entry.path().lexically_relative(folder).replace_extension().string());
  std::sort(found.begin(), found.end());
  return found;
}

class SweepFiles : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(All, SweepFiles, testing::ValuesIn(files()), [](const auto& row) {
  std::string name = row.param;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !std::isalnum(c); }, '_');
  return name;
});

TEST_P(SweepFiles, AreValidWithoutTheirData) {
  const Temporary folder;
  const std::string file = (fs::path(SIMMIM_SOURCE_DIR) / "sweeps" / (GetParam() + ".json")).string();
  const Finished got = simmim_run(
      {"check", file, "data.images=100000", "data.classes=10", "--json", "--out", (folder / "results").string()},
      {{"SIMMIM_THREADS", "1"}});
  EXPECT_EQ(got.code, 0) << got.err;
}

TEST(DoctorParity, NamesTheFolderThatHasNoGoldenFiles) {
  const Finished got = simmim_run({"doctor", "parity", "--golden", "/nonexistent"});
  EXPECT_EQ(got.code, 5);
  EXPECT_NE(got.err.find("/nonexistent: no expected.json"), std::string::npos) << got.err;
  EXPECT_EQ(simmim_run({"doctor", "parrity"}).code, 2);
  EXPECT_EQ(simmim_run({"doctor", "--golden", "x"}).code, 2);
}

TEST(MaskCommand, MeasuresAMaskThatSomebodyDrew) {
  const Temporary folder;
  const std::string drawn = golden("masks/vit_0.png").string(), picture = (folder / "sheet.png").string();
  const Finished got = simmim_run({"mask", "mask.patch=8", "--mask", drawn, "-o", picture, "--json"});
  ASSERT_EQ(got.code, 0) << got.err;
  EXPECT_EQ(got.json()["ratio"], 0.625);
  EXPECT_NEAR(got.json()["avg_dist"].get<double>(), 3.510945055570052, 1e-9);  // scipy.ndimage.distance_transform_edt
  EXPECT_EQ(read_file(picture).substr(1, 3), "PNG");
  EXPECT_EQ(simmim_run({"mask", "mask.patch=16", "--mask", drawn}).code, 5);
  EXPECT_EQ(simmim_run({"mask", "--count", "2", "--mask", drawn}).code, 2);
}

}  // namespace
}  // namespace simmim
