#include "sweep/plan.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.h"
#include "core/files.h"
#include "runs/run_folder.h"
#include "sweep/stand_in.h"

namespace simmim {
namespace {

TEST(Plan, CellsThatDifferOnlyInFineTuningShareOnePreTraining) {
  const Json plan = make_plan(sweep_of({cell({{"finetune.lr", 1}}), cell({{"finetune.lr", 2}})}, {0, 1}), {}, resolve);
  EXPECT_EQ(plan["runs"].size(), 2u + 4u);
  EXPECT_EQ(plan["cells"][0]["chains"][1]["runs"][0]["id"], plan["cells"][1]["chains"][1]["runs"][0]["id"]);
  EXPECT_NE(plan["cells"][0]["chains"][0]["runs"][0]["id"], plan["cells"][0]["chains"][1]["runs"][0]["id"]);
}

TEST(Plan, CellsWithTheSameRunsBecomeOneThatShowsWhatTheyAgreeOn) {
  std::vector<Cell> cells;
  for (const int patch : {4, 8})
    for (const char* from : {"pretrain", "scratch"})
      cells.push_back(cell({{"mask.patch", patch}, {"finetune.from", from}}));
  const Json plan = make_plan(sweep_of(cells), {}, resolve);
  ASSERT_EQ(plan["cells"].size(), 3u);
  EXPECT_EQ(plan["cells"][1]["cell"], "finetune.from=scratch");
  EXPECT_EQ(plan["cells"][1]["values"].dump(), R"({"finetune.from":"scratch"})");
  EXPECT_EQ(plan["cells"][1]["chains"][0]["runs"].size(), 1u);
}

TEST(Plan, NamesEveryInvalidCellAtOnce) {
  try {
    make_plan(
        sweep_of({cell({{"mask.patch", 5}}), cell({{"mask.patch", 4}}), cell({{"mask.patch", 5}, {"mask.ratio", 1}})},
                 {0, 1}),
        {}, resolve);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::usage);
    EXPECT_STREQ(error.what(),
                 "sweeps/t.json: 2 of 3 cells name no valid run; change them, or leave them out with \"exclude\":\n"
                 "  mask.patch=5: mask.patch: 5 does not divide image 32; use 4 or 8\n"
                 "  mask.patch=5 mask.ratio=1: mask.patch: 5 does not divide image 32; use 4 or 8");
  }
}

TEST(Plan, SaysOnceAndWithItsCodeWhatIsWrongWithEveryCell) {
  const auto no_data = [](const std::vector<Json>& requests) {
    return std::vector<Json>(requests.size(), Json{{"error", "data.root: no such folder"}, {"code", 5}});
  };
  try {
    make_plan(sweep_of({cell({{"mask.patch", 4}}), cell({{"mask.patch", 8}})}), {}, no_data);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::data);
    EXPECT_STREQ(error.what(), "data.root: no such folder");
  }
}

TEST(Plan, CommandLineStandsAboveTheCellAndSeedsAboveAll) {
  const Json plan = make_plan(sweep_of({cell({{"mask.patch", 4}})}, {7}), {.overrides = {{"mask.patch", 8}}}, resolve);
  const Json& config = plan["runs"].front()["config"];
  EXPECT_EQ(config["mask"]["patch"], 8);
  EXPECT_EQ(config["seed"], 7);
  EXPECT_THROW(make_plan(sweep_of({cell({})}), {.overrides = {{"seed", 1}}}, resolve), Error);
}

TEST(Plan, FinetuneSeedsAddFineTuningsOfOnePreTraining) {
  SweepFile sweep = sweep_of({cell({{"mask.patch", 4}})}, {0, 1});
  sweep.finetune_seeds = {0, 1};
  const Json plan = make_plan(sweep, {}, resolve);
  EXPECT_EQ(plan["cells"][0]["chains"].size(), 4u);
  EXPECT_EQ(plan["runs"].size(), 2u + 4u);
  EXPECT_EQ(plan["cells"][0]["chains"][3]["finetune_seed"], 1001);
}

TEST(Plan, ParentsComeBeforeTheirChildren) {
  const Json plan = make_plan(sweep_of({cell({{"finetune.lr", 1}}), cell({{"finetune.lr", 2}})}, {0, 1}), {}, resolve);
  const auto order = runs_in_order(plan);
  EXPECT_EQ(order.size(), plan["runs"].size());
  for (auto it = order.begin(); it != order.end(); ++it) {
    const std::string parent = parent_of(plan, *it);
    EXPECT_TRUE(parent.empty() || std::find(order.begin(), it, parent) != it);
  }
  EXPECT_EQ(run_title(plan, order[0]), "pretrain of finetune.lr=1, seed 0 (and 1 more)");
}

TEST(LongestFirst, PutsWhatMostWorkHangsOnFirstAndParentsBeforeTheirChildren) {
  Json plan = {{"runs", Json::object()}};
  const auto add = [&](const std::string& id, const std::string& parent, int images) {
    plan["runs"][id] = {{"id", id}, {"parent", parent.empty() ? Json() : Json(parent)}, {"plan", {{"images", images}}}};
  };
  add("short", "", 10);
  add("short child", "short", 5);
  add("shared", "", 10);
  for (const char* child : {"x", "y"}) add(child, "shared", 5);
  add("long", "", 100);
  EXPECT_EQ(longest_first(plan, {"short", "short child", "shared", "x", "y", "long"}),
            (std::vector<std::string>{"long", "shared", "short", "short child", "x", "y"}));
}

TEST(SweepCommand, RepeatsFileOverridesAndSeeds) {
  const Json plan =
      make_plan(sweep_of({cell({})}, {0, 1}), {.overrides = {{"data.limit", 9}, {"data.root", "/a b"}}}, resolve);
  EXPECT_EQ(sweep_command(plan), "simmim sweep sweeps/t.json data.limit=9 'data.root=/a b' --seeds 2");
  EXPECT_EQ(sweep_command(make_plan(sweep_of({cell({})}, {4, 6}), {}, resolve)), "simmim sweep sweeps/t.json");
}

TEST(Plan, GathersWarningsOnce) {
  const auto warned = [](const std::vector<Json>& requests) {
    std::vector<Json> answers = resolve(requests);
    for (Json& answer : answers) answer["warnings"] = {"precision: slow here"};
    return answers;
  };
  const Json resolved = resolve_cells(sweep_of({cell({{"mask.patch", 4}}), cell({{"mask.patch", 8}})}), {}, warned);
  EXPECT_EQ(resolved["warnings"], Json::array({"precision: slow here"}));
}

class FrozenPlanTest : public testing::Test {
 protected:
  fs::path out_ = fs::temp_directory_path() / ("simmim-plan-" + std::to_string(getpid()));
  ~FrozenPlanTest() override { fs::remove_all(out_); }
};

TEST_F(FrozenPlanTest, GetsANewRevisionOnlyWhenItChanges) {
  SweepFile sweep = sweep_of({cell({{"mask.patch", 4}})});
  const FrozenPlan first = freeze_plan(make_plan(sweep, {}, resolve), out_);
  EXPECT_TRUE(first.is_new);
  EXPECT_EQ(first.plan["revision"], 1);
  const FrozenPlan again = freeze_plan(make_plan(sweep, {}, resolve), out_);
  EXPECT_FALSE(again.is_new);
  EXPECT_EQ(again.file, first.file);
  sweep.seeds = {0, 1};
  const FrozenPlan more = freeze_plan(make_plan(sweep, {}, resolve), out_);
  EXPECT_TRUE(more.is_new);
  EXPECT_EQ(more.plan["revision"], 2);
  EXPECT_EQ(read_plan(out_, "t")->dump(), more.plan.dump());
}

}  // namespace
}  // namespace simmim
