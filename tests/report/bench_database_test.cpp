#include "report/bench_database.h"

#include <gtest/gtest.h>

#include "runs/sample_runs.h"

namespace simmim {
namespace {

TEST(BenchDatabase, TimesEveryLightCommandOnASmallDatabaseToo) {
  TemporaryFolder folder;
  const Json rows = bench_database(folder.path, {.runs = 600, .metrics = 1200, .repeats = 1});
  ASSERT_GE(rows.size(), 10u);
  for (const Json& row : rows) EXPECT_GT(row["milliseconds"].get<double>(), 0) << row["what"];
}

}  // namespace
}  // namespace simmim
