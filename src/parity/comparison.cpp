#include "parity/comparison.h"

#include <cmath>
#include <limits>

namespace simmim {

void Comparison::relative(double got, double wanted, double tolerance, const std::string& at) {
  ++values;
  take(got == wanted ? 0 : std::abs(got - wanted) / std::abs(wanted), tolerance, at);
}

void Comparison::absolute(double got, double wanted, double tolerance, double size, const std::string& at) {
  ++values;
  take(std::abs(got - wanted) / size, tolerance / size, at);
}

void Comparison::missing(const std::string& at) {
  ++values;
  take(std::numeric_limits<double>::quiet_NaN(), 1, at);
}

void Comparison::add(const Comparison& other) {
  if (other.values == 0) return;
  take(other.difference, other.allowed, other.where);
  values += other.values;
}

void Comparison::take(double other_difference, double other_allowed, const std::string& at) {
  if (std::isnan(difference)) return;
  if (allowed > 0 && other_difference * allowed <= difference * other_allowed) return;  // false for NaN
  difference = other_difference;
  allowed = other_allowed;
  where = at;
}

}  // namespace simmim
