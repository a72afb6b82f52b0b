#include "data/info.h"

#include <algorithm>
#include <chrono>
#include <map>

#include "data/statistics.h"

namespace simmim {
namespace {

constexpr int64_t kSample = 2000, kMessages = 20;

Json describe_split(const Dataset& dataset, Split split) {
  std::map<int64_t, int64_t> of_class;
  for (int64_t label : dataset.labels(split)) ++of_class[label];
  const int64_t unlabelled = of_class.contains(-1) ? of_class[-1] : 0;
  of_class.erase(-1);
  Json out = {{"images", dataset.size(split)}, {"labelled", dataset.size(split) - unlabelled}};
  if (of_class.empty()) return out;
  const auto by_count = [](const auto& a, const auto& b) { return a.second < b.second; };
  const auto [low, high] = std::minmax_element(of_class.begin(), of_class.end(), by_count);
  out["per_class"] = {{"min", low->second}, {"max", high->second}};
  return out;
}

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace

Json data_info(const Dataset& dataset, const DataOptions& options, bool read_all) {
  Json out = {{"name", options.name},         {"fingerprint", dataset.fingerprint()},
              {"classes", dataset.classes()}, {"class_names", dataset.class_names()},
              {"grey", dataset.grey()},       {"held_out", dataset.held_out()},
              {"splits", Json::object()}};
  std::vector<std::pair<int64_t, int64_t>> sizes;
  Json first = Json::array();
  int64_t unreadable = 0;
  Image image;
  for (Split split : kSplits) {
    if (!dataset.has(split)) continue;
    out["splits"][split_name(split)] = describe_split(dataset, split);
    const int64_t size = dataset.size(split);
    const int64_t count = read_all ? size : split == Split::train ? std::min(size, kSample) : 0;
    for (int64_t i = 0; i < count; ++i) {
      try {
        dataset.load(split, i * size / count, image);
        sizes.emplace_back(image.h, image.w);
      } catch (const ImageError& error) {
        ++unreadable;
        if (static_cast<int64_t>(first.size()) < kMessages) first.push_back(error.what());
      }
    }
  }
  if (!sizes.empty()) {
    std::sort(sizes.begin(), sizes.end(),
              [](const auto& a, const auto& b) { return a.first * a.second < b.first * b.second; });
    const auto pair = [](const std::pair<int64_t, int64_t>& size) { return Json{size.first, size.second}; };
    out["sizes"] = {
        {"min", pair(sizes.front())}, {"median", pair(sizes[sizes.size() / 2])}, {"max", pair(sizes.back())}};
  }
  if (dataset.has(Split::train) && !sizes.empty()) {
    const Normalisation measured = measure(dataset, Split::train, read_all ? dataset.size(Split::train) : kSample);
    out["mean"] = measured.mean;
    out["std"] = measured.std;
  }
  out["unreadable"] = {{"count", unreadable}, {"first", first}};
  return out;
}

Json loader_rate(const Dataset& dataset, const LoaderOptions& options, double seconds) {
  Image image;
  int64_t decoded = 0;
  const double decode_start = now();
  while (now() - decode_start < std::min(seconds / 4, 1.0)) {
    try {
      dataset.load(options.split, decoded % dataset.size(options.split), image);
    } catch (const ImageError&) {
    }
    ++decoded;
  }
  const double decode_rate = static_cast<double>(decoded) / (now() - decode_start);

  Loader loader(dataset, options);
  loader.next();
  int64_t images = 0;
  const double start = now();
  double elapsed = 0;
  while (elapsed < seconds) {
    const Batch* batch = loader.next();
    if (batch == nullptr) {
      loader.seek(0, 0);
      continue;
    }
    images += batch->size();
    elapsed = now() - start;
  }
  const double rate = static_cast<double>(images) / elapsed;
  return {{"images_per_second", rate},
          {"images", images},
          {"seconds", elapsed},
          {"workers", options.workers},
          {"images_per_second_per_worker", rate / static_cast<double>(std::max<int64_t>(options.workers, 1))},
          {"decode_images_per_second", decode_rate}};
}

}  // namespace simmim
