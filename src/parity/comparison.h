// One quantity, ours beside the official one: all its values, and the one of them that comes nearest to what is allowed
// or goes furthest beyond.
#pragma once
#include <cstdint>
#include <string>

namespace simmim {

struct Comparison {
  std::string what;
  int64_t values = 0;                  // compared
  double difference = 0, allowed = 0;  // relative, of the worst value; NaN: one of the two is missing or not finite
  std::string where;                   // the worst value: file, step or parameter

  // |got - wanted| / |wanted| beside `tolerance` (> 0).
  void relative(double got, double wanted, double tolerance, const std::string& at);

  // A value of a tensor, which may be near zero: an absolute tolerance, and both stated relative to `size`, the
  // tensor's root mean square.
  void absolute(double got, double wanted, double tolerance, double size, const std::string& at);

  void missing(const std::string& at);  // nothing stands beside it: never ok
  void add(const Comparison& other);    // of the same quantity

  bool ok() const { return values > 0 && difference <= allowed; }

 private:
  void take(double other_difference, double other_allowed, const std::string& at);
};

}  // namespace simmim
