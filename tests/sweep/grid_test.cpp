#include "sweep/grid.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/files.h"
#include "core/recipes.h"

namespace simmim {
namespace {

class Grid : public testing::Test {
 protected:
  Grid() : folder_(fs::temp_directory_path() / ("simmim-grid-" + std::to_string(getpid())) / "sweeps") {
    make_folder(folder_ / "recipes");
    write_file_atomically(folder_ / "recipes/small.json", R"({"mask": {"name": "random"}, "seed": 3})");
    write_file_atomically(folder_ / "recipes/smaller.json", R"({"extends": "small", "pretrain": {"epochs": 1}})");
  }
  ~Grid() override { fs::remove_all(folder_.parent_path()); }

  SweepFile read(const std::string& text) {
    write_file_atomically(folder_ / "t.json", text);
    return read_sweep(folder_ / "t.json");
  }
  std::vector<std::string> names(const std::string& text) {
    std::vector<std::string> out;
    for (const Cell& cell : read(text).cells) out.push_back(cell.name);
    return out;
  }
  std::string refusal(const std::string& text) {
    try {
      read(text);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::usage);
      return error.what();
    }
    return "accepted";
  }

  fs::path folder_;
};

using Names = std::vector<std::string>;

TEST_F(Grid, IsTheProductOfItsBlocks) {
  EXPECT_EQ(
      names(
          R"({"axes": [{"grid": {"mask.patch": [4, 8], "mask.ratio": [0.2, 0.6]}}, {"cases": {"a": {}, "b": {"finetune": {"from": "scratch"}}}}]})"),
      (Names{"mask.patch=4 mask.ratio=0.2 a", "mask.patch=4 mask.ratio=0.2 b", "mask.patch=4 mask.ratio=0.6 a",
             "mask.patch=4 mask.ratio=0.6 b", "mask.patch=8 mask.ratio=0.2 a", "mask.patch=8 mask.ratio=0.2 b",
             "mask.patch=8 mask.ratio=0.6 a", "mask.patch=8 mask.ratio=0.6 b"}));
}

TEST_F(Grid, WithoutAxesIsOneCell) { EXPECT_EQ(names("{}"), Names{"all"}); }

TEST_F(Grid, ZipStepsThroughItsListsTogether) {
  const SweepFile sweep =
      read(R"({"axes": [{"zip": {"encoder.preset": ["vit_nano", "swin_nano"], "pretrain.lr": [1e-3, 5e-4]}}]})");
  ASSERT_EQ(sweep.cells.size(), 2u);
  EXPECT_EQ(sweep.axes, Names{"zip"});
  EXPECT_EQ(sweep.cells[1].name, "encoder.preset=swin_nano pretrain.lr=0.0005");
  EXPECT_EQ(sweep.cells[1].values["zip"], "swin_nano 0.0005");
  EXPECT_EQ(sweep.cells[1].set.dump(), R"({"encoder.preset":"swin_nano","pretrain.lr":0.0005})");
}

TEST_F(Grid, CaseSetsNestedOrDottedLeavesAndShowsItsName) {
  const SweepFile sweep = read(R"({"axes": [{"cases": {"x": {"finetune": {"from": "scratch"}, "mask.ratio": 0.5}}}]})");
  EXPECT_EQ(sweep.cells[0].values.dump(), R"({"case":"x"})");
  EXPECT_EQ(sweep.cells[0].set.dump(), R"({"finetune.from":"scratch","mask.ratio":0.5})");
}

TEST_F(Grid, WhenChangesTheCellsThatMatchAndEqualCellsBecomeOne) {
  EXPECT_EQ(
      names(R"({"axes": [{"grid": {"mask.name": ["random", "square"], "mask.ratio": [0.4, 0.6]}}],
                      "when": [{"if": {"mask.name": ["blockwise", "square"]}, "set": {"mask.ratio": 0.5}}]})"),
      (Names{"mask.name=random mask.ratio=0.4", "mask.name=random mask.ratio=0.6", "mask.name=square mask.ratio=0.5"}));
}

TEST_F(Grid, ConditionsSeeTheRecipeAndWhatItExtends) {
  EXPECT_EQ(names(R"({"base": "recipes/smaller.json", "axes": [{"grid": {"mask.ratio": [0.4, 0.6]}}],
                      "exclude": [{"mask.name": "random", "pretrain.epochs": 1, "mask.ratio": 0.4}]})"),
            Names{"mask.ratio=0.6"});
}

TEST_F(Grid, ConditionsSeeDottedKeysOfTheRecipe) {
  write_file_atomically(
      folder_ / "recipes/dotted.json",
      R"({"mask.name": "random", "pretrain": {"augment.flip": false}, "finetune.augment": {"flip": 1}})");
  EXPECT_EQ(names(R"({"base": "recipes/dotted.json", "axes": [{"grid": {"mask.ratio": [0.4, 0.6]}}],
                      "exclude": [{"mask.name": "random", "pretrain.augment.flip": false, "finetune.augment.flip": 1,
                                   "mask.ratio": 0.4}]})"),
            Names{"mask.ratio=0.6"});
}

TEST_F(Grid, RefusesRecipesThatExtendOneAnotherInACircle) {
  write_file_atomically(folder_ / "recipes/a.json", R"({"extends": "b"})");
  write_file_atomically(folder_ / "recipes/b.json", R"({"extends": "a", "seed": 1})");
  const std::string said = refusal(R"({"base": "recipes/a.json", "exclude": [{"mask.name": "random"}]})");
  EXPECT_NE(said.find("\"extends\" goes round in a circle; break it"), std::string::npos) << said;
}

TEST_F(Grid, ExcludeComparesNumbersByValue) {
  EXPECT_EQ(names(R"({"axes": [{"grid": {"mask.patch": [4, 8]}}], "exclude": [{"mask.patch": 4.0}]})"),
            Names{"mask.patch=8"});
}

TEST_F(Grid, SecondCasesBlockIsAnAxisOfItsOwn) {
  const SweepFile sweep = read(R"({"axes": [{"cases": {"a": {}}}, {"cases": {"b": {"seed2": 1}}}]})");
  EXPECT_EQ(sweep.axes, (Names{"case", "case2"}));
  EXPECT_EQ(sweep.cells[0].values.dump(), R"({"case":"a","case2":"b"})");
}

TEST_F(Grid, SeedsAreANumberOrAList) {
  EXPECT_EQ(read(R"({"seeds": 3})").seeds, (std::vector<int64_t>{0, 1, 2}));
  EXPECT_EQ(read(R"({"seeds": [5, 7]})").seeds, (std::vector<int64_t>{5, 7}));
  EXPECT_TRUE(read("{}").finetune_seeds.empty());
}

TEST_F(Grid, RefusesWhatItDoesNotUnderstandAndSaysWhere) {
  const auto says = [&](const std::string& text, const std::string& part) {
    EXPECT_NE(refusal(text).find(part), std::string::npos) << text << " -> " << refusal(text);
  };
  says(R"({"axis": []})", "did you mean 'axes'?");
  says(R"({"axes": [{"gird": {}}]})", "did you mean 'grid'?");
  says(R"({"axes": [{"grid": {"mask.patch": 4}}]})", "sweep.axes[0].grid.mask.patch: got 4; allowed: a list");
  says(R"({"axes": [{"grid": {"a": [1]}}, {"grid": {"a": [2]}}]})", "a is an axis of two blocks");
  says(R"({"axes": [{"zip": {"a": [1, 2], "b": [1]}}]})", "1 values where the first list of the zip has 2");
  says(R"({"seeds": "three"})", "sweep.seeds: got \"three\"");
  says(R"({"seeds": [1, 1]})", "seed 1 stands twice");
  says(R"({"stages": ["pretrian"]})", "did you mean 'pretrain'?");
  says(R"({"when": [{"if": {}}]})", "sweep.when[0]: needs both");
  says(R"({"base": "nosuch"})", "recipe 'nosuch': no such file");
  says(R"({"axes": [{"grid": {"a": [1]}}], "exclude": [{"a": 1}]})", "no cell is left");
  says(R"({"paper": "paper/77"})", "no table of the paper is called paper/77; did you mean 'paper/");
  says(R"({"resources": {"gpuss": 1}})", "sweep.resources.gpuss: unknown key; did you mean 'gpus'?");
  says(R"({"resources": {"hours": "many"}})", "sweep.resources.hours: got \"many\"");
}

TEST_F(Grid, RefusesAConditionOnALeafThatNothingNames) {
  const std::string axes = R"("axes": [{"grid": {"mask.patch": [4, 8], "mask.ratio": [0.4, 0.6]}}])";
  EXPECT_NE(refusal("{" + axes + R"(, "exclude": [{"mask.patc": 4}]})").find("sweep.exclude[0].mask.patc: no axis"),
            std::string::npos);
  const std::string when = refusal("{" + axes + R"(, "when": [{"if": {"mask.rato": 0.4}, "set": {"mask.patch": 4}}]})");
  EXPECT_NE(when.find("sweep.when[0].if.mask.rato: "), std::string::npos) << when;
  EXPECT_NE(when.find("did you mean 'mask.ratio'?"), std::string::npos) << when;
  EXPECT_EQ(names("{" + axes + R"(, "set": {"data.limit": 9}, "exclude": [{"data.limit": 9, "mask": {"patch": 4}}]})"),
            (Names{"mask.patch=8 mask.ratio=0.4", "mask.patch=8 mask.ratio=0.6"}));
}

TEST_F(Grid, WarnsOfAConditionThatMatchesNoCell) {
  const SweepFile sweep = read(R"({"axes": [{"grid": {"mask.patch": [4, 8]}}], "exclude": [{"mask.patch": 8}],
                                   "when": [{"if": {"mask.patch": 16}, "set": {"mask.ratio": 0.5}}]})");
  EXPECT_EQ(sweep.warnings, Names{"sweep.when[0].if: matches no cell, so it changes nothing"});
}

TEST_F(Grid, KeepsWhatACaseSets) {
  EXPECT_EQ(read(R"({"axes": [{"cases": {"x": {"head": {"name": "mlp"}}, "y": {}}}]})").cases.dump(),
            R"({"x":{"head.name":"mlp"},"y":{}})");
}

TEST_F(Grid, SweepIsNamedByItsPlaceBelowSweeps) {
  EXPECT_EQ(sweep_name("sweeps/demo.json"), "demo");
  EXPECT_EQ(sweep_name("/x/sweeps/small/heads.json"), "small-heads");
  EXPECT_EQ(sweep_name("elsewhere/a.json"), "a");
  const fs::path installed = program_path().parent_path().parent_path() / "share/simmim";
  EXPECT_EQ(sweep_name(installed / "small/heads.json"), "small-heads");
  EXPECT_EQ(sweep_name(installed / "demo.json"), "demo");
}

}  // namespace
}  // namespace simmim
