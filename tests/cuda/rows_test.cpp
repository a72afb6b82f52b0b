// The passes over rows as a GPU runs them, beside the CPU's.
#include "cuda/on_host.h"
// The kernels need the names that it gives them.
#include "cuda/rows.cuh"
#include "twin.h"

namespace simmim::cuda {
namespace {

struct Shape {
  const char* name;
  int64_t images, L, D;
  bool windows = false, gamma = false, factors = false;
};
std::ostream& operator<<(std::ostream& out, const Shape& shape) { return out << shape.name; }

int64_t blocks(int64_t rows, int64_t block) { return (rows + block - 1) / block; }

template <class E>
class Rows {
 public:
  explicit Rows(const Shape& shape)
      : images_(shape.images), L_(shape.L), D_(shape.D), rows_(images_ * L_), gamma_on_(shape.gamma) {
    for (int64_t i = 0; i < L_; ++i) order_.push_back((i * 7 + 3) % L_);  // a permutation: no L here has the factor 7
    inverse_.resize(order_.size());
    for (size_t i = 0; i < order_.size(); ++i) inverse_[static_cast<size_t>(order_[i])] = static_cast<int64_t>(i);
    if (!shape.windows) order_.clear(), inverse_.clear();
    if (shape.factors) factors_ = {0, 1.25f, 1.25f, 0, 1.25f};
  }

  void check_norms() {
    Numbers<E> out = unset<E>(rows_ * D_), wanted_out = out;
    Numbers<float> mean = unset<float>(rows_), rstd = mean, wanted_mean = mean, wanted_rstd = mean;
    norm_forward<E>(
        {x_.data(), order(), L_, D_, weight_.data(), bias_.data(), 1e-5f, out.data(), mean.data(), rstd.data()}, 0,
        rows_);
    twin<E>().norm_forward({x_.data(), order(), L_, D_, weight_.data(), bias_.data(), 1e-5f, wanted_out.data(),
                            wanted_mean.data(), wanted_rstd.data()},
                           0, rows_);
    EXPECT_LE(distance(out, wanted_out), kRounding<E>);
    EXPECT_LE(distance(mean, wanted_mean, 1), 1e-6);
    EXPECT_LE(distance(rstd, wanted_rstd), 1e-6);

    Numbers<float> dx = unset<float>(rows_ * D_), wanted_dx = dx;
    Numbers<float> sums = unset<float>(blocks(rows_, kRowBlock) * 2 * D_);
    Numbers<float> wanted_sums = unset<float>(blocks(rows_, kernels::kRowBlock) * 2 * D_);
    norm_backward<E>({branch_.data(), inverse(), x_.data(), mean.data(), rstd.data(), weight_.data(), dy_.data(), rows_,
                      L_, D_, dx.data(), sums.data()},
                     0, blocks(rows_, kRowBlock));
    twin<E>().norm_backward({branch_.data(), inverse(), x_.data(), mean.data(), rstd.data(), weight_.data(), dy_.data(),
                             rows_, L_, D_, wanted_dx.data(), wanted_sums.data()},
                            0, blocks(rows_, kernels::kRowBlock));
    EXPECT_LE(distance(dx, wanted_dx), 2e-6);
    EXPECT_LE(distance(total(sums, 2 * D_), total(wanted_sums, 2 * D_)), 1e-5);
  }

  void check_residuals() {
    Numbers<float> y = unset<float>(rows_ * D_), wanted_y = y, mean = unset<float>(rows_), rstd = mean;
    Numbers<E> out = unset<E>(rows_ * D_), wanted_out = out;
    const auto arguments = [&](Numbers<float>& to, E* norm) {
      return ResidualForward<float, E>{
          x_.data(), branch_.data(),
          inverse(), L_,
          D_,        bias_.data(),
          gamma(),   factors(),
          to.data(), {nullptr, nullptr, L_, D_, weight_.data(), bias_.data(), 1e-5f, norm, mean.data(), rstd.data()}};
    };
    residual_forward<E>(arguments(y, out.data()), 0, rows_);
    twin<E>().residual_forward(arguments(wanted_y, wanted_out.data()), 0, rows_);
    EXPECT_LE(distance(y, wanted_y), 1e-6);
    EXPECT_LE(distance(out, wanted_out), kRounding<E>);
    Numbers<float> alone = unset<float>(rows_ * D_);
    residual_forward<E>(arguments(alone, nullptr), 0, rows_);
    EXPECT_EQ(alone, y);

    Numbers<E> d_branch = unset<E>(rows_ * D_), wanted_branch = d_branch;
    Numbers<float> sums = unset<float>(blocks(rows_, kRowBlock) * 2 * D_);
    Numbers<float> wanted_sums = unset<float>(blocks(rows_, kernels::kRowBlock) * 2 * D_);
    const auto backward = [&](Numbers<E>& to, Numbers<float>& to_sums) {
      return ResidualBackward<float, E>{dy_.data(), branch_.data(), inverse(), rows_,         L_, D_, bias_.data(),
                                        gamma(),    factors(),      to.data(), to_sums.data()};
    };
    residual_backward<E>(backward(d_branch, sums), 0, blocks(rows_, kRowBlock));
    twin<E>().residual_backward(backward(wanted_branch, wanted_sums), 0, blocks(rows_, kernels::kRowBlock));
    EXPECT_LE(distance(d_branch, wanted_branch), kRounding<E>);
    EXPECT_LE(distance(total(sums, 2 * D_), total(wanted_sums, 2 * D_)), 1e-5);
  }

  void check_gelu() {
    Numbers<E> out = unset<E>(rows_ * D_), wanted = out, again = out, dh = out, wanted_dh = out, wanted_again = out;
    gelu_forward<E>({branch_.data(), bias_.data(), rows_, D_, out.data()}, 0, rows_);
    twin<E>().gelu_forward({branch_.data(), bias_.data(), rows_, D_, wanted.data()}, 0, rows_);
    EXPECT_LE(distance(out, wanted), kRounding<E>);
    const Numbers<E> d_out = waves<E>(rows_ * D_, 0.23);
    Numbers<float> sums = unset<float>(blocks(rows_, kRowBlock) * D_);
    Numbers<float> wanted_sums = unset<float>(blocks(rows_, kernels::kRowBlock) * D_);
    gelu_backward<E>({branch_.data(), d_out.data(), bias_.data(), rows_, D_, again.data(), dh.data(), sums.data()}, 0,
                     blocks(rows_, kRowBlock));
    twin<E>().gelu_backward({branch_.data(), d_out.data(), bias_.data(), rows_, D_, wanted_again.data(),
                             wanted_dh.data(), wanted_sums.data()},
                            0, blocks(rows_, kernels::kRowBlock));
    EXPECT_EQ(distance(again, out), 0);
    EXPECT_LE(distance(dh, wanted_dh), kRounding<E>);
    EXPECT_LE(distance(total(sums, D_), total(wanted_sums, D_)), 1e-5);
  }

 private:
  const int64_t* order() const { return order_.empty() ? nullptr : order_.data(); }
  const int64_t* inverse() const { return inverse_.empty() ? nullptr : inverse_.data(); }
  const float* gamma() const { return gamma_on_ ? gamma_.data() : nullptr; }
  const float* factors() const { return factors_.empty() ? nullptr : factors_.data(); }

  int64_t images_, L_, D_, rows_;
  bool gamma_on_;
  std::vector<int64_t> order_, inverse_;
  std::vector<float> factors_;
  Numbers<float> x_ = waves<float>(rows_ * D_, 0.7), dy_ = waves<float>(rows_ * D_, 0.37);
  Numbers<E> branch_ = waves<E>(rows_ * D_, 0.31, 2);
  Numbers<float> weight_ = waves<float>(D_, 0.9), bias_ = waves<float>(D_, 1.3), gamma_ = waves<float>(D_, 0.5);
};

class RowsOnTheGpu : public testing::TestWithParam<Shape> {
 protected:
  void SetUp() override {
    if (!kernels::operations<float, float>()) GTEST_SKIP() << "no AVX2 here: there is no twin to compare with";
  }
};

TEST_P(RowsOnTheGpu, NormLikeTheCpusInFloat) { Rows<float>(GetParam()).check_norms(); }
TEST_P(RowsOnTheGpu, NormLikeTheCpusInBfloat) { Rows<bf16>(GetParam()).check_norms(); }
TEST_P(RowsOnTheGpu, AddBranchesLikeTheCpusInFloat) { Rows<float>(GetParam()).check_residuals(); }
TEST_P(RowsOnTheGpu, AddBranchesLikeTheCpusInBfloat) { Rows<bf16>(GetParam()).check_residuals(); }
TEST_P(RowsOnTheGpu, AreActivatedLikeTheCpusInFloat) { Rows<float>(GetParam()).check_gelu(); }
TEST_P(RowsOnTheGpu, AreActivatedLikeTheCpusInBfloat) { Rows<bf16>(GetParam()).check_gelu(); }

INSTANTIATE_TEST_SUITE_P(
    Shapes, RowsOnTheGpu,
    testing::Values(Shape{.name = "narrow", .images = 5, .L = 9, .D = 20, .gamma = true, .factors = true},
                    Shape{.name = "windows", .images = 3, .L = 36, .D = 128, .windows = true, .factors = true},
                    Shape{.name = "vit", .images = 2, .L = 197, .D = 96, .gamma = true},
                    Shape{.name = "more_columns_than_threads", .images = 1, .L = 5, .D = 1284, .windows = true},
                    Shape{.name = "plain", .images = 2, .L = 16, .D = 1024}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace simmim::cuda
