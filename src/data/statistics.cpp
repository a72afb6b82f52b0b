#include "data/statistics.h"

#include <algorithm>
#include <cmath>

#include "data/image.h"

namespace simmim {
namespace {

constexpr std::array<double, 3> kImageNetMean = {0.485, 0.456, 0.406}, kImageNetStd = {0.229, 0.224, 0.225};

const DatasetRow* find_row(const std::string& name) {
  for (const DatasetRow& row : datasets())
    if (row.name == name) return &row;
  return nullptr;
}

std::array<double, 3> resolve(const Json& value, const DataOptions& options, const Dataset* dataset, bool is_std) {
  const std::string path = is_std ? "data.std" : "data.mean";
  const DatasetRow* row = find_row(options.name);
  std::string name = value.is_string() ? value.get<std::string>() : "";
  if (name == "auto") name = row != nullptr && row->grey ? "dataset" : "imagenet";
  if (name == "imagenet") return is_std ? kImageNetStd : kImageNetMean;
  if (name == "dataset") {
    if (row == nullptr || row->std[0] == 0)
      fail(Code::usage, "{}: no constants of {} are known; use imagenet, measure or three numbers", path, options.name);
    return is_std ? row->std : row->mean;
  }
  if (name == "measure") {
    SIMMIM_CHECK(dataset != nullptr, "measuring needs the data");
    const Normalisation measured = measure(*dataset, Split::train);
    return is_std ? measured.std : measured.mean;
  }
  std::array<double, 3> out{};
  const bool one = value.is_number();
  bool good = one || (value.is_array() && value.size() == 3);
  for (size_t c = 0; good && c < 3; ++c) {
    const Json& number = one ? value : value[c];
    good = number.is_number();
    if (good) out[c] = number.get<double>();
    good = good && std::isfinite(out[c]) && (!is_std || out[c] > 0);
  }
  if (!good)
    fail(Code::usage, "{}: got {}; allowed: auto, imagenet, dataset, measure or three numbers{}", path, value.dump(),
         is_std ? " above 0" : "");
  return out;
}

}  // namespace

bool needs_measuring(const DataOptions& options) { return options.mean == "measure" || options.std == "measure"; }

Normalisation resolve_normalisation(const DataOptions& options, const Dataset* dataset) {
  return {resolve(options.mean, options, dataset, false), resolve(options.std, options, dataset, true)};
}

Normalisation measure(const Dataset& dataset, Split split, int64_t at_most) {
  const int64_t size = dataset.size(split), count = std::min(size, at_most);
  std::array<double, 3> sum{}, squares{};
  int64_t read = 0;
  Image image;
  for (int64_t i = 0; i < count; ++i) {
    try {
      dataset.load(split, i * size / count, image);
    } catch (const ImageError&) {
      continue;
    }
    ++read;
    std::array<uint64_t, 3> s{}, q{};
    for (size_t at = 0; at < image.rgb.size(); at += 3)
      for (size_t c = 0; c < 3; ++c) {
        const uint64_t value = image.rgb[at + c];
        s[c] += value, q[c] += value * value;
      }
    const double pixels = static_cast<double>(image.h * image.w);
    for (size_t c = 0; c < 3; ++c)
      sum[c] += static_cast<double>(s[c]) / pixels, squares[c] += static_cast<double>(q[c]) / pixels;
  }
  if (read == 0) fail(Code::data, "data.mean: the {} split has no readable image to measure", split_name(split));
  Normalisation out;
  for (size_t c = 0; c < 3; ++c) {
    const double mean = sum[c] / static_cast<double>(read),
                 variance = squares[c] / static_cast<double>(read) - mean * mean;
    out.mean[c] = mean / 255;
    out.std[c] = std::max(std::sqrt(std::max(variance, 0.0)), 1.0) / 255;  // an all-equal channel is not divided by 0
  }
  return out;
}

}  // namespace simmim
