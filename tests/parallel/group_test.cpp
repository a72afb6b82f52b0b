#include "parallel/group.h"

#include <gtest/gtest.h>

#include "ranks.h"
#include "temporary.h"

namespace simmim {
namespace {

// As NCCL's where a rank is gone: sums are in the device's order of work, and never finished.
class StuckWire : public Wire {
 public:
  explicit StuckWire(bool& given_up) : given_up_(given_up) {}
  void start_broadcast(const Tensor&) override {}
  void start_sum(const Tensor&) override {}
  bool done_within(int) override { return true; }
  bool finished_within(int) override { return false; }
  void give_up() override { given_up_ = true; }

 private:
  bool& given_up_;
};

TEST(Group, ThatWouldReadWhatAGoneRankOwesIsToldSoAndGivesUp) {
  as_ranks(2, [](int rank, Control& control) {
    if (rank == 1) return;  // closes its end
    Launch launch;
    launch.size = 2;
    bool given_up = false;
    Group group(launch, std::move(control), std::make_unique<StuckWire>(given_up));
    group.wait();
    EXPECT_FALSE(given_up);
    EXPECT_NE(error_of(Code::run_failed, [&] { group.before_reading(); }).find("rank 1 of 2 is gone"),
              std::string::npos);
    EXPECT_TRUE(given_up);
  });
}

}  // namespace
}  // namespace simmim
