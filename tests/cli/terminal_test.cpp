#include "cli/terminal.h"

#include <gtest/gtest.h>

namespace simmim {
namespace {

TEST(Terminal, SaysLongTimesWithTwoDigits) {
  EXPECT_EQ(duration_text(59.6), "1 min 00 s");
  EXPECT_EQ(duration_text(3 * 86400 + 4 * 3600), "3 d 04 h");
  EXPECT_EQ(duration_text(12.3 * 86400), "12 d");
  EXPECT_EQ(duration_text(123.4 * 86400), "120 d");
  EXPECT_EQ(duration_text(66098.0 * 86400), "180 years");
  EXPECT_EQ(duration_text(17753439.0 * 86400), "49000 years");
  EXPECT_EQ(duration_text(2.5 * 365.25 * 86400), "2.5 years");
}

TEST(Terminal, CountsUpToWhatATrainingOfThePaperTakes) {
  EXPECT_EQ(count_text(950), "950");
  EXPECT_EQ(count_text(12300), "12.3k");
  EXPECT_EQ(count_text(4.56e18), "4.56E");
}

}  // namespace
}  // namespace simmim
