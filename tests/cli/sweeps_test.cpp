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
    if (file.parent_path().filename() == "paper") continue;  // below
    const Finished got = simmim_run({"sweep", file.string(), "--dry-run", "--json", "--out", (folder / "r").string(),
                                     "data.images=5000", "data.classes=10"});
    ASSERT_EQ(got.code, 0) << file << got.err;
    EXPECT_GT(got.json()["todo"].size(), 1u) << file;
    EXPECT_GT(got.json()["seconds"].get<double>(), 0) << file;
  }
  EXPECT_FALSE(fs::exists(folder / "r"));
}

TEST(Sweeps, InSmallSayTheirQuestionCommandCostAndExpectedPicture) {
  for (const fs::path& file : sweeps()) {
    if (file.parent_path().filename() != "small") continue;
    const std::string about = read_json_file(file).value("about", "");
    for (const std::string& part : {std::string("?"), "simmim sweep sweeps/small/" + file.filename().string(),
                                    std::string("Cost: "), std::string("Expected: ")})
      EXPECT_NE(about.find(part), std::string::npos) << file << ": " << part;
  }
}

TEST(Sweeps, AreFoundByPlaceByTheNameInTablesAndByBareName) {
  const Temporary folder;
  for (const char* name : {"small/masks", "small-masks", "masks"}) {
    const Finished got = simmim_run({"sweep", name, "--dry-run", "--json", "--out", (folder / "r").string()});
    ASSERT_EQ(got.code, 0) << name << got.err;
    EXPECT_EQ(got.json()["plan"]["name"], "small-masks") << name;
    const Finished checked = simmim_run({"check", name, "--json", "--out", (folder / "r").string()});
    ASSERT_EQ(checked.code, 0) << name << checked.err;
    EXPECT_EQ(checked.json()["sweep"], "small-masks") << name;
  }
  const Finished wrong = simmim_run({"sweep", "small/mask", "--dry-run", "--out", (folder / "r").string()});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_NE(wrong.err.find("did you mean 'small/masks'?"), std::string::npos) << wrong.err;
  const Finished unknown = simmim_run({"sweep", "everything", "--dry-run", "--out", (folder / "r").string()});
  EXPECT_EQ(unknown.code, 2);
  EXPECT_NE(unknown.err.find("paper/1, "), std::string::npos) << unknown.err;
}

TEST(Sweeps, OfThePaperPlanItsTablesAtItsScale) {
  const Temporary folder;
  const std::map<std::string, size_t> cells = {{"1", 31}, {"2", 4}, {"3", 6}, {"4", 6}, {"5", 2}, {"6", 1}, {"7", 2}};
  for (const auto& [name, count] : cells) {
    const fs::path file = fs::path(SIMMIM_SOURCE_DIR) / "sweeps/paper" / (name + ".json");
    const std::string about = read_json_file(file).value("about", "");
    for (const char* part : {"?", "Cost: ", "Expected: ", "verified"})
      EXPECT_NE(about.find(part), std::string::npos) << file << ": " << part;
    EXPECT_NE(about.find("simmim sweep paper/" + name + "."), std::string::npos) << file;
    const Finished got = simmim_run({"sweep", file.string(), "--dry-run", "--json", "--out", (folder / "r").string()});
    ASSERT_EQ(got.code, 0) << file << got.err;
    const Json plan = got.json()["plan"];
    EXPECT_EQ(plan["name"], "paper-" + name);
    EXPECT_EQ(plan["paper"], "paper/" + name);
    EXPECT_EQ(plan["cells"].size(), count) << file;
    for (const auto& [id, run] : plan["runs"].items())
      if (run["kind"] == "pretrain") {
        const double epochs = run["config"]["pretrain"]["epochs"];
        EXPECT_EQ(run["config"]["pretrain"]["batch_size"], 2048);
        EXPECT_NEAR(run["plan"]["images"].get<double>() / (epochs * 1281167), 1, 0.01) << id;
      }
  }
}

}  // namespace
}  // namespace simmim
