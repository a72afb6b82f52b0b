// Fine-tuning's augmentations beside timm 0.4.12's and Pillow's, which drew from our random numbers
// (scripts/golden/augment.py).
#include <ATen/ops/tensor.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>

#include "data/perturb.h"
#include "parity/parity.h"
#include "train/mixup.h"

namespace simmim {
namespace {

// The script's image, as planes.
std::vector<uint8_t> pattern(int64_t h, int64_t w) {
  std::vector<uint8_t> planes;
  for (int64_t c = 0; c < 3; ++c)
    for (int64_t y = 0; y < h; ++y)
      for (int64_t x = 0; x < w; ++x)
        planes.push_back(static_cast<uint8_t>(((x * 13 + y * 7 + c * 85) ^ (x * y * 5 >> 2)) & 255));
  return planes;
}

// To the bit: the golden value is a checksum, so an image that differs counts as all different.
void compare_bytes(Comparison& comparison, const std::vector<uint8_t>& image, const Json& entry) {
  const bool same = crc32(0, image.data(), static_cast<unsigned>(image.size())) == entry.at("crc").get<uint64_t>();
  comparison.relative(same ? 1 : 0, 1, 1e-12, entry.dump());
}

Comparison compare_rand_augment(const Json& policies) {
  Comparison comparison{"RandAugment"};
  Scratch scratch;
  for (const Json& entry : policies) {
    std::vector<uint8_t> image = pattern(32, 32);
    Rng rng(7, "randaugment", 3, entry.at("index"));
    rand_augment(RandAugment::parse(entry.at("policy").get<std::string>(), "policy"),
                 {{124, 116, 104}, Interpolation::bicubic}, {image.data(), 32, 32}, rng, scratch);
    compare_bytes(comparison, image, entry);
  }
  return comparison;
}

Comparison compare_color_jitter(const Json& jitters) {
  Comparison comparison{"colour jitter"};
  for (const Json& entry : jitters) {
    std::vector<uint8_t> image = pattern(20, 24);
    Rng rng(7, "color jitter", 3, entry.at("index"));
    color_jitter(entry.at("amount"), {image.data(), 20, 24}, rng);
    compare_bytes(comparison, image, entry);
  }
  return comparison;
}

// Each rectangle as [top, left, h, w, sum of its values].
Comparison compare_erasing(const Json& erasings) {
  Comparison comparison{"random erasing"};
  for (const Json& entry : erasings) {
    const PerturbOptions options{
        .erasing = 0.6, .erasing_mode = entry.at("mode"), .erasing_count = entry.at("count").get<int64_t>()};
    Rng rng(7, "erasing", 3, entry.at("index"));
    const std::vector<Erasure> erasures = draw_erasures(options, 40, 48, rng);
    const Json& boxes = entry.at("boxes");
    const std::string at = fmt::format("{} {}", options.erasing_mode, entry.at("index").get<int64_t>());
    if (boxes.size() != erasures.size()) comparison.missing(at);
    for (size_t i = 0; i < std::min(boxes.size(), erasures.size()); ++i) {
      const Erasure& erased = erasures[i];
      const int64_t place[] = {erased.top, erased.left, erased.h, erased.w};
      for (size_t k = 0; k < 4; ++k) comparison.relative(static_cast<double>(place[k]), boxes[i][k], 1e-12, at);
      double sum = 0;
      for (const float value : erased.values) sum += value;
      comparison.absolute(sum, boxes[i][4], 1e-4, std::sqrt(static_cast<double>(erased.values.size())), at);
    }
  }
  return comparison;
}

void compare_list(Comparison& comparison, const Tensor& got, const std::vector<double>& wanted, double tolerance,
                  const std::string& at) {
  const std::vector<double> values = values_of(got);
  if (values.size() != wanted.size()) comparison.missing(at);
  for (size_t i = 0; i < std::min(values.size(), wanted.size()); ++i)
    comparison.absolute(values[i], wanted[i], tolerance, 1, at);
}

}  // namespace

std::vector<Comparison> compare_augmentations(const GoldenFiles& golden, const std::string&, at::ScalarType dtype) {
  const bool exact = dtype == at::kDouble;
  Comparison images{"mixup and CutMix: images"}, targets{"mixup and CutMix: targets"};
  const Json mixes = golden.json("mixup.json").at("mixes");
  for (const Json& entry : mixes) {
    const double lambda = entry.at("lambda");
    const std::string at = fmt::format("lambda {}", lambda);
    const Mix mix = entry.at("cut").get<bool>() ? cut_around(lambda, entry["centre"][0], entry["centre"][1], 6)
                                                : Mix{.lambda = lambda};
    targets.relative(mix.lambda, entry.at("used"), 1e-12, at);
    const Tensor batch = at::arange(4 * 3 * 6 * 6, at::kDouble).mul(0.37).sin().reshape({4, 3, 6, 6}).to(dtype);
    const Tensor mixed = batch.clone(), labels = at::tensor(entry.at("labels").get<std::vector<int64_t>>());
    mix_images(mix, mixed, batch.flip(0));
    compare_list(images, mixed, entry.at("images").get<std::vector<double>>(), exact ? 1e-15 : 1e-6, at);
    std::vector<double> wanted;
    for (const Json& row : entry.at("targets"))
      for (const Json& value : row) wanted.push_back(value);
    compare_list(targets, mix_targets(mix, labels, labels.flip(0), 5, 0.1, dtype), wanted, 1e-6, at);
  }
  std::vector<Comparison> all = {images, targets};
  if (exact) {  // bytes have no other precision
    const Json drawn = golden.json("augment.json");
    all.push_back(compare_rand_augment(drawn.at("policies")));
    all.push_back(compare_color_jitter(drawn.at("jitter")));
    all.push_back(compare_erasing(drawn.at("erasing")));
  }
  return all;
}

}  // namespace simmim
