#include "sweep/run_state.h"

#include <gtest/gtest.h>

#include "sweep/plan.h"
#include "sweep/stand_in.h"
#include "temporary.h"

namespace simmim {
namespace {

TEST(PlanState, CountsWhatComesFromAFailedRunAsBlockedUntilThatIsRunAgain) {
  const Temporary folder;
  const fs::path out = folder / "results";
  const Json plan = make_plan(sweep_of({cell({{"mask.patch", 4}}), cell({{"mask.patch", 8}})}), {}, resolve);
  const std::vector<std::string> runs = runs_in_order(plan);
  ASSERT_EQ(runs.size(), 4u);
  record_failure(out, plan["runs"][runs[0]], 1, "not finite");

  const PlanState before = plan_state(plan, runs, out, /*retry_failed=*/false);
  EXPECT_EQ(before.failed, std::vector{runs[0]});
  EXPECT_EQ(before.blocked, std::vector{runs[1]});
  EXPECT_EQ(before.todo, (std::vector{runs[2], runs[3]}));

  const PlanState again = plan_state(plan, runs, out, /*retry_failed=*/true);
  EXPECT_EQ(again.todo, runs);
  EXPECT_TRUE(again.failed.empty() && again.blocked.empty());
}

}  // namespace
}  // namespace simmim
