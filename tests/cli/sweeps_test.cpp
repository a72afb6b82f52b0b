// Every sweep in sweeps/ names valid runs.
#include <gtest/gtest.h>

#include "cli/process.h"
#include "temporary.h"

namespace simmim {
namespace {

std::vector<fs::path> sweeps() {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(SIMMIM_SOURCE_DIR) / "sweeps"))
    if (entry.path().extension() == ".json" && entry.path().parent_path().filename() != "recipes")
      files.push_back(entry.path());
  return files;
}

TEST(Sweeps, AllPlanWithoutTheirDataAndStartNothing) {
  const Temporary folder;
  ASSERT_GT(sweeps().size(), 0u);
  for (const fs::path& file : sweeps()) {
    const Finished got = simmim_run({"sweep", file.string(), "--dry-run", "--json", "--out", (folder / "r").string(),
                                     "data.images=5000", "data.classes=10"});
    ASSERT_EQ(got.code, 0) << file << got.err;
    EXPECT_GT(got.json()["todo"].size(), 1u) << file;
    EXPECT_GT(got.json()["seconds"].get<double>(), 0) << file;
  }
  EXPECT_FALSE(fs::exists(folder / "r"));
}

}  // namespace
}  // namespace simmim
