// Which images are held out or kept, by class and seed. Pure functions of the labels.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

namespace simmim {

// `count` of the images whose labels are given, in proportion to the classes (largest remainder; -1 is a class of its
// own), sorted. A larger count of the same seed takes more of each class's same order.
std::vector<int64_t> choose_in_proportion(const std::vector<int64_t>& labels, int64_t count, uint64_t seed,
                                          std::string_view purpose);

// `count` of them in numbers as equal as the classes allow, sorted.
std::vector<int64_t> choose_equally(const std::vector<int64_t>& labels, int64_t count, uint64_t seed,
                                    std::string_view purpose);

}  // namespace simmim
