#include "parallel/control.h"

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <thread>

#include "ranks.h"
#include "temporary.h"

namespace simmim {
namespace {

TEST(Control, SumsInTheOrderOfTheRanks) {
  const std::vector<double> parts = {0.1, 0.2, 0.3, -0.6};  // another order gives another last digit
  const double whole = ((parts[0] + parts[1]) + parts[2]) + parts[3];
  ASSERT_NE(whole, ((parts[3] + parts[1]) + parts[2]) + parts[0]);
  as_ranks(4, [&](int rank, Control& control) {
    const std::vector<double> sum = control.sum({parts[static_cast<size_t>(rank)], 1.0 * rank});
    EXPECT_EQ(sum[0], whole);
    EXPECT_EQ(sum[1], 6);
  });
}

TEST(Control, HandsTheWordsOfTheFirstToAll) {
  const std::string words(100'000, 'x');
  as_ranks(3, [&](int rank, Control& control) { EXPECT_EQ(control.from_first(rank == 0 ? words : ""), words); });
}

TEST(Control, HandsTheWordsOfAllToTheFirst) {
  as_ranks(3, [&](int rank, Control& control) {
    const std::vector<std::string> words = control.to_first("of rank " + std::to_string(rank));
    if (rank == 0)
      EXPECT_EQ(words, (std::vector<std::string>{"of rank 0", "of rank 1", "of rank 2"}));
    else
      EXPECT_TRUE(words.empty());
  });
}

TEST(Control, AFailureOfOneEndsAllAndTheFirstSaysIt) {
  as_ranks(3, [&](int rank, Control& control) {
    if (rank == 1) {
      EXPECT_TRUE(control.fail_all(Code::data, "an image is broken"));
      return;
    }
    const std::string heard = error_of(Code::data, [&] { control.sum({1}); });
    EXPECT_EQ(heard, "rank 1 of 3: an image is broken");
    EXPECT_TRUE(control.fail_all(Code::data, heard));
  });
}

TEST(Control, ARankThatIsGoneIsNamed) {
  as_ranks(2, [&](int rank, Control& control) {
    if (rank == 1) return;  // closes its end
    EXPECT_NE(error_of(Code::run_failed, [&] { control.sum({1}); }).find("rank 1 of 2 is gone"), std::string::npos);
  });
  as_ranks(2, [&](int rank, Control& control) {
    if (rank == 0) return;
    EXPECT_THROW(while (true) control.check(), Control::Lost);
    EXPECT_FALSE(control.fail_all(Code::run_failed, "lost"));  // nobody else will say it
  });
}

TEST(Control, WhoWaitsHearsOfAFailure) {
  as_ranks(2, [&](int rank, Control& control) {
    if (rank == 0) {
      control.fail_all(Code::device, "out of memory");
      control.wait_for_first(0);
      return;
    }
    EXPECT_EQ(error_of(Code::device,
                       [&] {
                         while (true) control.check();
                       }),
              "out of memory");
  });
}

TEST(Control, AFailureIsHeardWhileAnotherRankIsSilent) {
  std::promise<void> heard;
  as_ranks(3, [&, known = heard.get_future().share()](int rank, Control& control) {
    if (rank == 0) {
      EXPECT_EQ(error_of(Code::data, [&] { control.sum({1}); }), "rank 2 of 3: an image is broken");
      heard.set_value();
      control.fail_all(Code::data, "an image is broken");
    } else if (rank == 1) {
      EXPECT_EQ(known.wait_for(std::chrono::seconds(20)), std::future_status::ready);
    } else {
      control.fail_all(Code::data, "an image is broken");
    }
  });
}

TEST(Control, TheFirstMayEndWithoutAFailure) {
  as_ranks(3, [&](int rank, Control& control) {
    if (rank == 0) {
      control.end_all();
    } else {
      if (rank == 1) {
        EXPECT_THROW(control.from_first(""), Control::Ended);
      }
      EXPECT_TRUE(control.first_ends());
    }
  });
}

TEST(Control, TheFirstHasNotEndedWhereItFailsOrIsGone) {
  for (const bool speaks : {true, false})
    as_ranks(2, [&](int rank, Control& control) {
      if (rank == 1)
        EXPECT_FALSE(control.first_ends());
      else if (speaks)
        control.fail_all(Code::data, "no space left");
    });
}

TEST(Control, LetsNoStrangerIn) {
  Control first = Control::listen(2, /*one_host=*/true);
  std::string forged = first.invitation();
  const size_t token = forged.find(' ') + 1;
  forged[token] = forged[token] == '0' ? '1' : '0';
  const Control stranger = Control::connect(1, 2, forged);
  std::thread friendly([invitation = first.invitation()] {
    Control control = Control::connect(1, 2, invitation);
    EXPECT_EQ(control.sum({1})[0], 3);
  });
  first.accept_all();
  EXPECT_EQ(first.sum({2})[0], 3);
  friendly.join();
}

}  // namespace
}  // namespace simmim
