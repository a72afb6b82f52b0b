// Every sweep in sweeps/ is planned without its data; the small ones say what they ask and how to run them; what
// that costs, the dry run says.
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
  ASSERT_GT(sweeps().size(), 1u);
  for (const fs::path& file : sweeps()) {
    const Finished got = simmim_run({"sweep", file.string(), "--dry-run", "--json", "--out", (folder / "r").string(),
                                     "data.images=5000", "data.classes=10"});
    ASSERT_EQ(got.code, 0) << file << got.err;
    EXPECT_GT(got.json()["todo"].size(), 1u) << file;
    EXPECT_GT(got.json()["seconds"].get<double>(), 0) << file;
  }
  EXPECT_FALSE(fs::exists(folder / "r"));
}

TEST(Sweeps, InSmallSayTheirQuestionAndCommand) {
  for (const fs::path& file : sweeps()) {
    if (file.parent_path().filename() != "small") continue;
    const std::string about = read_json_file(file).value("about", "");
    EXPECT_NE(about.find('?'), std::string::npos) << file;
    EXPECT_NE(about.find("simmim sweep sweeps/small/" + file.filename().string()), std::string::npos) << file;
  }
}

}  // namespace
}  // namespace simmim
