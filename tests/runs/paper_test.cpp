#include "runs/paper.h"

#include <gtest/gtest.h>

namespace simmim {
namespace {

TEST(Paper, GivesAValueOnlyToTargetsThatItHas) {
  const PaperTable& table = *find_paper_table("paper/4");
  Json chain = {{"target.name", "pixels"}, {"target.normalise", "none"}, {"loss.name", "l1"}};
  ASSERT_NE(find_paper_value(table, chain, "finetune"), nullptr);
  EXPECT_EQ(find_paper_value(table, chain, "finetune")->value, 82.8);
  chain["target.normalise"] = "patch";
  EXPECT_EQ(find_paper_value(table, chain, "finetune"), nullptr);
  chain = {{"target.name", "color_bins"}, {"target.bins", 8}, {"loss.name", "cross_entropy"}};
  ASSERT_NE(find_paper_value(table, chain, "finetune"), nullptr);
  chain["target.bins"] = 64;
  EXPECT_EQ(find_paper_value(table, chain, "finetune"), nullptr);
}

}  // namespace
}  // namespace simmim
