// Counter-based random numbers: Philox 4x32-10 (Salmon et al., SC 2011). A stream is named by what it is for and by
// counters (seed, epoch, sample index), never by what was drawn before, so any step can be reproduced on its own and
// the numbers do not depend on devices, workers or loading order.
#pragma once
#include <array>
#include <cstdint>
#include <numeric>
#include <string_view>
#include <vector>

namespace simmim {

// Ten rounds of Philox 4x32: counter x key -> four uniform 32-bit words.
std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

class Rng {
 public:
  // purpose: "order", "crop", "mask", "init/NAME", ...; a and b: for example epoch and sample index.
  Rng(uint64_t seed, std::string_view purpose, uint64_t a = 0, uint64_t b = 0);

  uint32_t next_u32();
  uint64_t next_u64() { return uint64_t{next_u32()} << 32 | next_u32(); }
  double uniform();  // in [0, 1), 53 bits
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  uint64_t below(uint64_t n);                         // uniform integer in [0, n), n > 0, without modulo bias
  double normal();                                    // N(0, 1), Box-Muller
  double truncated_normal(double std, double bound);  // N(0, std^2) redrawn until |x| <= bound
  double beta(double a, double b);                    // Beta(a, b), a and b > 0

  // Fisher-Yates, uniform over all orders.
  template <class T>
  void shuffle(std::vector<T>& items) {
    for (size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
  }
  std::vector<int64_t> permutation(int64_t n) {
    std::vector<int64_t> order(static_cast<size_t>(n));
    std::iota(order.begin(), order.end(), int64_t{0});
    shuffle(order);
    return order;
  }

 private:
  double log_gamma_draw(double shape);  // the logarithm of a Gamma(shape, 1)

  std::array<uint32_t, 2> key_;
  std::array<uint32_t, 4> counter_;
  std::array<uint32_t, 4> block_{};
  int used_ = 4;
  double spare_ = 0;
  bool has_spare_ = false;
};

}  // namespace simmim
