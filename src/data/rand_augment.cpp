#include "data/rand_augment.h"

#include <algorithm>
#include <charconv>

#include "core/error.h"
#include "core/names.h"

namespace simmim {
namespace {

// One operation on one image; u: the strength, 0 to 1.
struct Application {
  double u;
  bool increasing;
  const Surroundings& around;
  const Planes& image;
  Rng& rng;
  Scratch& scratch;

  double either_sign(double x) const { return rng.uniform() > 0.5 ? -x : x; }
  // Of the four that move away from the image, 1 being the image: 0.1 to 1.9 either way.
  float factor() const {
    return static_cast<float>(increasing ? std::max(0.1, 1 + either_sign(u * 0.9)) : u * 1.8 + 0.1);
  }
  // A whole number from 0 to `most` that grows with the strength; with inc it falls from `most`, which is stronger
  // here.
  int falling(int most) const {
    const int level = static_cast<int>(u * most);
    return increasing ? most - level : level;
  }
  void move(const Affine& matrix) const { transform(image, matrix, around.fill, around.interpolation, scratch); }
  double side(int64_t pixels) const { return either_sign(u * 0.45) * static_cast<double>(pixels); }
};

using Operation = void (*)(const Application&);

// timm's order: a draw's number means the same operation there and here.
constexpr Operation kOperations[] = {
    [](const Application& a) { auto_contrast(a.image); },
    [](const Application& a) { equalize(a.image); },
    [](const Application& a) { invert(a.image); },
    [](const Application& a) { a.move(rotation(a.either_sign(a.u * 30), a.image.h, a.image.w)); },
    [](const Application& a) { posterize(a.image, a.falling(4)); },
    [](const Application& a) { solarize(a.image, a.falling(256)); },
    [](const Application& a) { solarize_add(a.image, static_cast<int>(a.u * 110)); },
    [](const Application& a) { adjust_color(a.image, a.factor()); },
    [](const Application& a) { adjust_contrast(a.image, a.factor()); },
    [](const Application& a) { adjust_brightness(a.image, a.factor()); },
    [](const Application& a) { adjust_sharpness(a.image, a.factor(), a.scratch); },
    [](const Application& a) {
      a.move({1, a.either_sign(a.u * 0.3), 0, 0, 1, 0});
    },
    [](const Application& a) {
      a.move({1, 0, 0, a.either_sign(a.u * 0.3), 1, 0});
    },
    [](const Application& a) {
      a.move({1, 0, a.side(a.image.w), 0, 1, 0});
    },
    [](const Application& a) {
      a.move({1, 0, 0, 0, 1, a.side(a.image.h)});
    },
};

}  // namespace

RandAugment RandAugment::parse(std::string_view text, const std::string& path) {
  const auto refuse = [&] {
    fail(Code::usage,
         "{}: got '{}'; allowed: rand with m (0 or more), n (1 to 15), p (0 to 1), mstd (0 or more) and inc (0 or 1), "
         "for example rand-m9-mstd0.5-inc1",
         path, text);
  };
  RandAugment policy;
  const std::vector<std::string> parts = split(text, '-');
  if (parts.empty() || parts[0] != "rand") refuse();
  for (size_t i = 1; i < parts.size(); ++i) {
    const std::string& part = parts[i];
    const size_t digits = std::min(part.find_first_of("0123456789"), part.size());
    const std::string key = part.substr(0, digits);
    double number = 0;
    const auto [end, error] = std::from_chars(part.data() + digits, part.data() + part.size(), number);
    const bool whole = number == static_cast<double>(static_cast<int64_t>(number));
    if (error != std::errc() || end != part.data() + part.size() || number > 1e6) refuse();
    if (key == "m" && whole)
      policy.magnitude = number;
    else if (key == "n" && whole && number >= 1 && number <= 15)
      policy.operations = static_cast<int64_t>(number);
    else if (key == "p" && number <= 1)
      policy.probability = number;
    else if (key == "mstd")
      policy.magnitude_std = number;
    else if (key == "inc" && (number == 0 || number == 1))
      policy.increasing = number == 1;
    else
      refuse();
  }
  return policy;
}

void rand_augment(const RandAugment& policy, const Surroundings& around, const Planes& image, Rng& rng,
                  Scratch& scratch) {
  std::vector<Operation> chosen(static_cast<size_t>(policy.operations));
  for (Operation& operation : chosen) operation = kOperations[rng.below(std::size(kOperations))];
  for (const Operation operation : chosen) {
    if (policy.probability < 1 && rng.uniform() > policy.probability) continue;
    double magnitude = policy.magnitude;
    if (policy.magnitude_std > 100)
      magnitude = rng.uniform(0, magnitude);
    else if (policy.magnitude_std > 0)
      magnitude += policy.magnitude_std * rng.normal();
    const double u = std::clamp(magnitude, 0.0, 10.0) / 10;
    operation({u, policy.increasing, around, image, rng, scratch});
  }
}

}  // namespace simmim
