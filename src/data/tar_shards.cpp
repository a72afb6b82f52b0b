#include "data/tar_shards.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "core/files.h"
#include "data/encoded_source.h"
#include "data/tar.h"

namespace simmim {
namespace {

constexpr const char* kLayouts =
    "expected train-000000.tar, val-... and test-... or a pattern as in data.train=shard-{000..009}.tar; within them "
    "000001.jpg beside 000001.cls, which holds the number of its class";

bool parse_number(std::string_view text, int64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

std::vector<std::string> alternatives(const std::string& inside, const std::string& where) {
  const size_t dots = inside.find("..");
  std::vector<std::string> out;
  if (dots == std::string::npos) {
    for (size_t begin = 0; begin <= inside.size();) {
      const size_t end = std::min(inside.find(',', begin), inside.size());
      out.push_back(inside.substr(begin, end - begin));
      begin = end + 1;
    }
    return out;
  }
  const std::string first_text = inside.substr(0, dots);
  int64_t first = 0, last = 0;
  if (!parse_number(first_text, first) || !parse_number(inside.substr(dots + 2), last) || first < 0 || last < first ||
      last - first > 1000000)
    fail(Code::usage, "{}: got {{{}}}; allowed: two numbers, the smaller first, as in {{000..009}}", where, inside);
  for (int64_t i = first; i <= last; ++i) out.push_back(fmt::format("{:0{}}", i, first_text.size()));
  return out;
}

class TarShards : public EncodedSource {
 public:
  TarShards(const DataOptions& options, const fs::path& root) {
    const std::array<std::string, 3> given = {options.train, options.val, options.test};
    const bool any = std::any_of(given.begin(), given.end(), [](const std::string& text) { return !text.empty(); });
    int64_t largest = -1;
    for (Split split : kSplits) {
      const std::string& pattern = given[static_cast<size_t>(split)];
      const std::vector<fs::path> paths =
          any ? (pattern.empty() ? std::vector<fs::path>{} : matching(root, pattern, split))
              : usual_shards(root, split);
      for (const fs::path& path : paths) largest = std::max(largest, add_shard(split, path));
      if (any && !pattern.empty() && items(split).empty())
        fail(Code::data, "data.{}: {} holds no image; {}", split_name(split), pattern, kLayouts);
    }
    if (largest < 0 && !any && items(Split::train).empty() && items(Split::test).empty())
      fail(Code::data, "{}: no tar with images; {}", root.string(), kLayouts);
    name_classes(root, largest + 1);
  }

 private:
  struct Place {
    size_t shard;
    int64_t offset;
  };

  static std::vector<fs::path> tars_in(const fs::path& folder, const std::string& prefix) {
    std::vector<fs::path> paths;
    for (const auto& entry : fs::directory_iterator(folder))
      if (entry.path().extension() == ".tar" && entry.path().filename().string().starts_with(prefix))
        paths.push_back(entry.path());
    std::sort(paths.begin(), paths.end());
    return paths;
  }

  static std::vector<fs::path> matching(const fs::path& root, const std::string& pattern, Split split) {
    std::vector<fs::path> paths;
    const std::string where = fmt::format("data.{}", split_name(split));
    for (const std::string& name : expand_braces(pattern, where)) {
      const fs::path path = root / name;
      if (fs::is_directory(path)) {
        for (const fs::path& tar : tars_in(path, "")) paths.push_back(tar);
      } else if (!fs::exists(path)) {
        fail(Code::data, "{}: {} does not exist; {}", where, path.string(), kLayouts);
      } else {
        paths.push_back(path);
      }
    }
    return paths;
  }

  // train*.tar, val*.tar, test*.tar or folders of these names; tars of other names are all training images.
  static std::vector<fs::path> usual_shards(const fs::path& root, Split split) {
    const std::string name = split_name(split);
    std::vector<fs::path> paths = fs::is_directory(root / name) ? tars_in(root / name, "") : tars_in(root, name);
    if (!paths.empty() || split != Split::train) return paths;
    for (const fs::path& path : tars_in(root, "")) {
      const std::string file = path.filename().string();
      if (!file.starts_with("val") && !file.starts_with("test")) paths.push_back(path);
    }
    return paths;
  }

  // Returns the largest label.
  int64_t add_shard(Split split, const fs::path& path) {
    const size_t shard = shards_.size();
    shards_.emplace_back(path);
    add_to_stamp(path);
    const std::string_view tar = shards_.back().bytes();
    struct Sample {
      const TarEntry* image = nullptr;
      int64_t label = -1;
    };
    std::map<std::string, Sample> samples;  // by key: the name up to its first dot
    const std::vector<TarEntry> entries = list_tar(tar, path.string());
    int64_t largest = -1;
    for (const TarEntry& entry : entries) {
      const size_t slash = entry.name.find_last_of('/'),
                   dot = entry.name.find('.', slash == std::string::npos ? 0 : slash);
      if (dot == std::string::npos) continue;
      const std::string key = entry.name.substr(0, dot), suffix = entry.name.substr(dot);
      if (suffix == ".cls") {
        std::string_view text = tar.substr(static_cast<size_t>(entry.offset), static_cast<size_t>(entry.bytes));
        while (text.ends_with('\n') || text.ends_with(' ') || text.ends_with('\r')) text.remove_suffix(1);
        int64_t& label = samples[key].label;
        if (!parse_number(text, label) || label < 0 || label >= (1 << 20))
          fail(Code::data, "{}: {} says '{}'; allowed: the number of a class, from 0 up", path.string(), entry.name,
               text.substr(0, 40));
        largest = std::max(largest, label);
      } else if (has_image_suffix(entry.name)) {
        samples[key].image = &entry;
      }
    }
    for (const auto& [key, sample] : samples) {
      if (sample.image == nullptr) continue;
      items_of(split).push_back({fmt::format("{}/{}", path.stem().string(), key), sample.image->bytes, sample.label});
      places_[static_cast<size_t>(split)].push_back({shard, sample.image->offset});
    }
    return largest;
  }

  // classes.txt beside the shards names the classes, one a line; else they are numbers.
  void name_classes(const fs::path& root, int64_t classes) {
    class_names_ = read_names(root / "classes.txt");
    if (!class_names_.empty() && static_cast<int64_t>(class_names_.size()) < classes)
      fail(Code::data, "{}: names {} classes, the shards have labels up to {}", (root / "classes.txt").string(),
           class_names_.size(), classes - 1);
    if (class_names_.empty())
      for (int64_t i = 0; i < classes; ++i) class_names_.push_back(std::to_string(i));
  }

  std::string_view bytes(Split split, int64_t index, std::string&) const override {
    const Place& place = places_[static_cast<size_t>(split)][static_cast<size_t>(index)];
    return shards_[place.shard].bytes().substr(static_cast<size_t>(place.offset),
                                               static_cast<size_t>(item(split, index).bytes));
  }

  std::vector<MappedFile> shards_;
  std::array<std::vector<Place>, 3> places_;
};

}  // namespace

std::vector<std::string> expand_braces(const std::string& pattern, const std::string& where) {
  const size_t open = pattern.find('{');
  if (open == std::string::npos) return {pattern};
  const size_t close = pattern.find('}', open);
  if (close == std::string::npos) fail(Code::usage, "{}: got '{}'; a brace is not closed", where, pattern);
  std::vector<std::string> out;
  for (const std::string& middle : alternatives(pattern.substr(open + 1, close - open - 1), where))
    for (const std::string& rest : expand_braces(pattern.substr(close + 1), where))
      out.push_back(pattern.substr(0, open) + middle + rest);
  return out;
}

std::unique_ptr<Source> open_tar_shards(const DataOptions& options, const fs::path& root) {
  return std::make_unique<TarShards>(options, root);
}

}  // namespace simmim
