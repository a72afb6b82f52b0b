// What a run's id knows: every leaf of the schema is changed by itself.
#include "config/run_id.h"

#include <gtest/gtest.h>

#include <set>

#include "config/resolve.h"
#include "config/sections.h"
#include "temporary.h"

namespace simmim {
namespace {

// The leaves that cannot change a result (interface, section 5), and why.
// clang-format off
const std::set<std::string> kNotInTheId = {
    "device",
    "data.root", "data.train", "data.val", "data.test",  // the fingerprint knows what lies there
    "data.images", "data.classes",                       // stand in for it where the data are not
    "data.verify",                                       // puts the bytes into the fingerprint
    "data.workers", "data.cache",                        // how images are read
    "pretrain.accumulate", "finetune.accumulate",
    "pretrain.log_steps", "finetune.log_steps",
    "pretrain.save_minutes", "finetune.save_minutes", "pretrain.save_steps", "finetune.save_steps",
    "pretrain.keep_epochs", "finetune.keep_epochs",
    "pretrain.max_skipped_steps", "finetune.max_skipped_steps",  // when to give up
    "encoder.checkpointing",                                     // memory for time
    "finetune.from", "probe.from",                               // the parent's id, or the file's content, stands for it
};
// clang-format on

Json another(const FieldDescription& field) {
  const Json& value = field.default_value;
  if (field.rule.file) return field.rule.choices.size() > 1 ? Json(field.rule.choices[1]) : Json();
  if (value.is_boolean()) return !value.get<bool>();
  if (value.is_number()) return value.get<double>() + 1;
  if (value == "auto") return 1;
  if (value.is_string()) return "another";
  if (value.is_array()) return Json::array({7});
  return {{"another", 1}};
}

std::string plain_id_of(const Json& config) { return run_id(config, "", "data", {}); }

TEST(RunId, ChangesWithEveryLeafOfTheSchemaButThoseThatCannotChangeAResult) {
  std::set<std::string> seen;
  int leaves = 0;
  const auto check = [&](Json config, const std::string& path, const Json& value) {
    const std::string before = plain_id_of(config);
    set_path(config, path, value);
    EXPECT_EQ(plain_id_of(config) == before, kNotInTheId.contains(path)) << path << " = " << value.dump();
    seen.insert(path);
    ++leaves;
  };
  const Json plain = {{"stage", "pretrain"}, {"seed", 0}, {"device", "auto"}, {"precision", "f32"}};
  check(plain, "seed", 1);
  check(plain, "precision", "bf16");
  check(plain, "device", "cuda:1");
  const Json schema = describe_schema();
  for (const Json& section : schema["sections"]) {
    const std::string name = section["section"];
    std::vector<Json> blocks = {Json::object()};
    if (section.contains("variants")) {
      blocks.clear();
      for (const Json& variant : section["variants"]) blocks.push_back({{"name", variant["name"]}});
    }
    for (const Json& block : blocks) {
      const std::vector<FieldDescription> fields = describe_section(name, block);
      Json config = plain;
      config[name] = block;
      for (const FieldDescription& field : fields) set_path(config[name], field.name, field.default_value);
      for (const FieldDescription& field : fields)
        if (const Json value = another(field); !value.is_null()) check(config, name + "." + field.name, value);
    }
  }
  EXPECT_GT(leaves, 150);
  for (const std::string& path : kNotInTheId) EXPECT_TRUE(seen.contains(path)) << path << " is no option any more";
}

TEST(RunId, KnowsSeedStageParentDataFilesAndVersions) {
  const Json config = {{"stage", "finetune"}, {"seed", 0}, {"finetune", Json::object()}};
  std::set<std::string> ids = {run_id(config, "", "data", {})};
  EXPECT_TRUE(ids.insert(run_id(config, "parent", "data", {})).second);
  EXPECT_TRUE(ids.insert(run_id(config, "", "other data", {})).second);
  EXPECT_TRUE(ids.insert(run_id(config, "", "data", {{"from", "content"}})).second);
  Json probe = config;
  probe["stage"] = "probe";
  EXPECT_TRUE(ids.insert(run_id(probe, "", "data", {})).second);
  EXPECT_TRUE(ids.insert(unversioned_id(config, "", "data", {})).second);
}

TEST(ResultVersions, AreRaisedForRunsInBfloatWhichWereEvaluatedInItToo) {
  for (const char* stage : {"pretrain", "finetune"}) {
    EXPECT_EQ(result_versions({{"stage", stage}, {"precision", "bf16"}})["encoders"], 2);
    EXPECT_EQ(result_versions({{"stage", stage}, {"precision", "f32"}})["encoders"], 1);
  }
}

// Their masks are others since the smallest rectangle is no larger than what is hidden; all other ids stay.
TEST(ResultVersions, AreRaisedOnlyForBlockwiseMasksWhoseRectanglesHadToShrink) {
  const auto version = [](const Json& mask) {
    return result_versions({{"stage", "pretrain"}, {"mask", mask}})["masks"];
  };
  for (const Json& mask : {Json{{"name", "random"}, {"ratio", 0.05}}, Json{{"name", "square"}, {"ratio", 0.05}},
                           Json{{"name", "blockwise"}, {"ratio", 0.4}, {"min_block", "auto"}, {"max_block", "auto"}},
                           Json{{"name", "blockwise"}, {"ratio", 0.05}, {"min_block", 2}},
                           Json{{"name", "blockwise"}, {"ratio", 0.4}, {"max_block", 16}}})
    EXPECT_EQ(version(mask), 1) << mask.dump();
  for (const Json& mask : {Json{{"name", "blockwise"}, {"ratio", 0.05}, {"min_block", "auto"}},
                           Json{{"name", "blockwise"}, {"ratio", 0.4}, {"max_block", 8}}})
    EXPECT_EQ(version(mask), 2) << mask.dump();
  EXPECT_FALSE(result_versions({{"stage", "finetune"}}).contains("masks"));
}

// Four images of two classes in `root`, at train/.
std::string id_of_images(const fs::path& root, bool verify = false) {
  const Json config = {
      {"data",
       {{"name", "image_folder"}, {"root", root.string()}, {"train", "train"}, {"holdout", 0.25}, {"verify", verify}}},
      {"pretrain", {{"batch_size", 2}}}};
  std::vector<std::string> warnings;
  return resolve_stages({.layers = {{"test", config}}, .stages = {"pretrain"}, .out = "none"}, warnings)[0]["id"];
}

class RunIdOfImages : public testing::Test {
 protected:
  // A folder of its own, as a data set is opened once a process.
  fs::path images(const std::string& name) const {
    fs::copy(golden("finetune8"), folder_ / name, fs::copy_options::recursive);
    return folder_ / name;
  }
  Temporary folder_;
};

TEST_F(RunIdOfImages, StaysWithARenamedRoot) { EXPECT_EQ(id_of_images(images("a")), id_of_images(images("b"))); }

TEST_F(RunIdOfImages, ChangesWithWhatLiesUnderTheSamePath) {
  const std::string before = id_of_images(images("a"));
  const fs::path larger = images("b") / "train/class0/p0.png";
  write_file_atomically(larger, read_file(larger) + "x");
  EXPECT_NE(id_of_images(folder_ / "b"), before);
  fs::rename(images("c") / "train/class0/p0.png", folder_ / "c/train/class0/other.png");
  EXPECT_NE(id_of_images(folder_ / "c"), before);
  fs::rename(images("d") / "train/class0", folder_ / "d/train/class2");
  EXPECT_NE(id_of_images(folder_ / "d"), before);
}

TEST_F(RunIdOfImages, KnowsTheBytesOnceAskedToVerifyThem) {
  std::string bytes = read_file(images("b") / "train/class0/p0.png");
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  write_file_atomically(folder_ / "b/train/class0/p0.png", bytes);
  images("a");
  EXPECT_EQ(id_of_images(folder_ / "a"), id_of_images(folder_ / "b"));
  EXPECT_NE(id_of_images(folder_ / "a", true), id_of_images(folder_ / "b", true));
}

}  // namespace
}  // namespace simmim
