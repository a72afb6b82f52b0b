// RandAugment by timm's definition (timm/data/auto_augment.py): a few of 15 operations an image, drawn with
// replacement, each applied with a probability and a strength around one magnitude.
#pragma once
#include <string>
#include <string_view>

#include "core/rng.h"
#include "data/operations.h"

namespace simmim {

// What a policy's text says: "rand", then in any order "-" and a key with its number.
struct RandAugment {
  double magnitude = 10;     // m, of 10
  int64_t operations = 2;    // n
  double probability = 0.5;  // p, of each
  double magnitude_std = 0;  // mstd, of a normal distribution; above 100: uniform between 0 and the magnitude
  bool increasing = false;   // inc: the operations whose strength grows with the magnitude

  // A usage error that `path` opens where the text is no policy.
  static RandAugment parse(std::string_view text, const std::string& path);
};

// How an operation that moves pixels interpolates, and what it fills in where there are none.
struct Surroundings {
  std::array<uint8_t, 3> fill;
  Interpolation interpolation;
};

void rand_augment(const RandAugment& policy, const Surroundings& around, const Planes& image, Rng& rng,
                  Scratch& scratch);

}  // namespace simmim
