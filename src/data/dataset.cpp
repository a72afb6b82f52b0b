#include "data/dataset.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/hash.h"
#include "data/cache.h"
#include "data/choose.h"
#include "data/source.h"

namespace simmim {
namespace {

std::vector<int64_t> labels_of(const std::vector<Item>& items) {
  std::vector<int64_t> labels;
  labels.reserve(items.size());
  for (const Item& item : items) labels.push_back(item.label);
  return labels;
}

std::string fingerprint_of(const Source& source, bool verify) {
  std::string text = fmt::format("classes {}\n", source.class_names().size());
  for (Split split : kSplits) {
    const std::vector<Item>& items = source.items(split);
    for (size_t i = 0; i < items.size(); ++i) {
      fmt::format_to(std::back_inserter(text), "{}\t{}\t{}\t{}", split_name(split), items[i].name, items[i].bytes,
                     items[i].label);
      if (verify)
        fmt::format_to(std::back_inserter(text), "\t{:016x}", source.content_hash(split, static_cast<int64_t>(i)));
      text += '\n';
    }
  }
  return hash_hex(text);
}

int64_t held_out_count(const DataOptions& options, int64_t images) {
  const double wanted = options.holdout < 1 ? options.holdout * static_cast<double>(images) : options.holdout;
  const int64_t count = static_cast<int64_t>(std::llround(wanted));
  if (images > 0 && count >= images)
    fail(Code::usage, "data.holdout: {} images of {} would be held out; allowed: fewer than there are", count, images);
  return count;
}

}  // namespace

const char* split_name(Split split) {
  constexpr const char* names[] = {"train", "val", "test"};
  return names[static_cast<size_t>(split)];
}

Split parse_split(const std::string& text, const std::string& where) {
  for (Split split : kSplits)
    if (text == split_name(split)) return split;
  fail(Code::usage, "{}: got '{}'; allowed: train, val or test", where, text);
}

Dataset::Dataset(std::unique_ptr<Source> source, const DataOptions& options) : source_(std::move(source)) {
  const uint64_t seed = static_cast<uint64_t>(options.split_seed);
  for (Split split : kSplits)
    for (size_t i = 0; i < source_->items(split).size(); ++i)
      places_[static_cast<size_t>(split)].push_back({split, static_cast<int64_t>(i)});

  std::vector<Place>& train = places_[static_cast<size_t>(Split::train)];
  std::vector<Place>& val = places_[static_cast<size_t>(Split::val)];
  if (val.empty() && options.holdout > 0) {
    const int64_t count = held_out_count(options, static_cast<int64_t>(train.size()));
    const auto chosen = choose_in_proportion(labels_of(source_->items(Split::train)), count, seed, "holdout");
    std::vector<Place> rest;
    for (const Place& place : train)
      (std::binary_search(chosen.begin(), chosen.end(), place.index) ? val : rest).push_back(place);
    train = std::move(rest);
    held_out_ = !val.empty();
  }
  for (Split split : kSplits) {
    std::vector<Place>& places = places_[static_cast<size_t>(split)];
    if (options.limit == 0 || static_cast<int64_t>(places.size()) <= options.limit) continue;
    std::vector<Place> kept;
    for (int64_t i : choose_equally(labels(split), options.limit, seed, fmt::format("limit/{}", split_name(split))))
      kept.push_back(places[static_cast<size_t>(i)]);
    places = std::move(kept);
  }
  fingerprint_ = fingerprint_of(*source_, options.verify);
  if (options.cache && source_->wants_cache())
    if (auto cache = DecodedCache::open(*source_, options.name, fingerprint_))
      cache_ = std::make_unique<DecodedCache>(std::move(*cache));
}

Dataset::~Dataset() = default;

const Dataset::Place& Dataset::place(Split split, int64_t index) const {
  SIMMIM_CHECK(index >= 0 && index < size(split), "image {} of {} {}", index, size(split), split_name(split));
  return places_[static_cast<size_t>(split)][static_cast<size_t>(index)];
}

int64_t Dataset::size(Split split) const { return static_cast<int64_t>(places_[static_cast<size_t>(split)].size()); }

int64_t Dataset::label(Split split, int64_t index) const {
  const Place& at = place(split, index);
  return source_->item(at.split, at.index).label;
}

std::vector<int64_t> Dataset::labels(Split split) const {
  std::vector<int64_t> labels;
  for (const Place& at : places_[static_cast<size_t>(split)]) labels.push_back(source_->item(at.split, at.index).label);
  return labels;
}

int64_t Dataset::classes() const { return static_cast<int64_t>(source_->class_names().size()); }
const std::vector<std::string>& Dataset::class_names() const { return source_->class_names(); }
bool Dataset::grey() const { return source_->grey(); }

std::string Dataset::item_name(Split split, int64_t index) const {
  const Place& at = place(split, index);
  return source_->item(at.split, at.index).name;
}

void Dataset::load(Split split, int64_t index, Image& out) const {
  const Place& at = place(split, index);
  if (cache_)
    cache_->load(at.split, at.index, out);
  else
    source_->load(at.split, at.index, out);
}

Image Dataset::load(Split split, int64_t index) const {
  Image out;
  load(split, index, out);
  return out;
}

std::string Dataset::encoded(Split split, int64_t index, std::string& suffix) const {
  const Place& at = place(split, index);
  return source_->encoded(at.split, at.index, suffix);
}

std::vector<int64_t> balanced_subset(const Dataset& dataset, Split split, int64_t count, uint64_t seed) {
  const std::vector<int64_t> labels = dataset.labels(split);
  std::map<int64_t, int64_t> sizes;
  for (int64_t label : labels) ++sizes[label];
  if (sizes.empty() || sizes.contains(-1))
    fail(Code::usage, "limit_labels: the {} images of {} have no labels to choose by", labels.size(),
         split_name(split));
  const int64_t classes = static_cast<int64_t>(sizes.size()), each = (count + classes - 1) / classes;
  for (const auto& [label, size] : sizes)
    if (size < each)
      fail(Code::usage,
           "limit_labels: {} images of {} classes need {} of each, and class '{}' has {}; choose at most {}", count,
           classes, each, dataset.class_names()[static_cast<size_t>(label)], size, size * classes);
  if (count < classes)
    fail(Code::usage, "limit_labels: got {}; allowed: at least one image for each of the {} classes", count, classes);
  return choose_equally(labels, count, seed, "labels");
}

}  // namespace simmim
