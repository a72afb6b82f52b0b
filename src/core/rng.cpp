#include "core/rng.h"

#include <cmath>
#include <numbers>

#include "core/hash.h"

namespace simmim {

std::array<uint32_t, 4> philox(std::array<uint32_t, 4> c, std::array<uint32_t, 2> k) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t{0xD2511F53} * c[0], p1 = uint64_t{0xCD9E8D57} * c[2];
    c = {static_cast<uint32_t>(p1 >> 32) ^ c[1] ^ k[0], static_cast<uint32_t>(p1),
         static_cast<uint32_t>(p0 >> 32) ^ c[3] ^ k[1], static_cast<uint32_t>(p0)};
    k[0] += 0x9E3779B9;
    k[1] += 0xBB67AE85;
  }
  return c;
}

Rng::Rng(uint64_t seed, std::string_view purpose, uint64_t a, uint64_t b) {
  const uint64_t key = hash64(purpose, seed);
  key_ = {static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32)};
  // Word 0 counts blocks; the other three hold a (48 bits) and b (48 bits).
  counter_ = {0, static_cast<uint32_t>(a), static_cast<uint32_t>(b),
              static_cast<uint32_t>((a >> 32 & 0xFFFF) << 16 | (b >> 32 & 0xFFFF))};
}

uint32_t Rng::next_u32() {
  if (used_ == 4) {
    block_ = philox(counter_, key_);
    ++counter_[0];
    used_ = 0;
  }
  return block_[static_cast<size_t>(used_++)];
}

double Rng::uniform() { return static_cast<double>(next_u64() >> 11) * 0x1p-53; }

uint64_t Rng::below(uint64_t n) {
  const uint64_t limit = ~uint64_t{0} - (~uint64_t{0} % n + 1) % n;  // the largest value of a whole number of n-blocks
  for (;;)
    if (const uint64_t draw = next_u64(); draw <= limit) return draw % n;
}

double Rng::normal() {
  if (has_spare_) {
    has_spare_ = false;
    return spare_;
  }
  const double radius = std::sqrt(-2 * std::log(1 - uniform())), angle = 2 * std::numbers::pi * uniform();
  spare_ = radius * std::sin(angle);
  has_spare_ = true;
  return radius * std::cos(angle);
}

double Rng::truncated_normal(double std, double bound) {
  for (;;)
    if (const double draw = std * normal(); std::abs(draw) <= bound) return draw;
}

// Marsaglia and Tsang (2000); below 1 by way of shape + 1. Logarithms, because a small shape's draw can be too small
// for a double.
double Rng::log_gamma_draw(double shape) {
  if (shape < 1) {
    const double boost = std::log(1 - uniform()) / shape;
    return log_gamma_draw(shape + 1) + boost;
  }
  const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = normal(), root = 1 + c * x, v = root * root * root;
    if (v > 0 && std::log(1 - uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) return std::log(d * v);
  }
}

double Rng::beta(double a, double b) {
  const double x = log_gamma_draw(a), y = log_gamma_draw(b);
  return 1 / (1 + std::exp(y - x));
}

}  // namespace simmim
