// What the tests of this folder share: images without files, reference values, folders that vanish.
#pragma once
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>

#include "core/files.h"
#include "core/json.h"
#include "data/image.h"
#include "data/source.h"

namespace simmim::testing_data {

inline const fs::path kFolder = fs::path(SIMMIM_SOURCE_DIR) / "tests" / "data";

inline const Json& golden() {  // made by scripts/golden/data.py
  static const Json values = read_json_file(kFolder / "golden.json");
  return values;
}

// The same image as pattern() of scripts/golden/data.py.
inline Image pattern(int64_t h, int64_t w, int64_t variant = 0) {
  Image image;
  image.resize(h, w);
  for (int64_t y = 0; y < h; ++y)
    for (int64_t x = 0; x < w; ++x)
      for (int64_t c = 0; c < 3; ++c)
        image.rgb[static_cast<size_t>((y * w + x) * 3 + c)] =
            static_cast<uint8_t>(((x * 13 + y * 7 + c * 85 + variant * 29) ^ (x * y * 5 >> 2)) & 255);
  return image;
}

inline int64_t crc(const std::vector<uint8_t>& bytes) {
  return static_cast<int64_t>(crc32(0, bytes.data(), static_cast<unsigned>(bytes.size())));
}

class TemporaryFolder {
 public:
  TemporaryFolder() {
    static int count = 0;
    path_ = fs::temp_directory_path() / fmt::format("simmim-data-{}-{}", ::getpid(), count++);
    fs::create_directories(path_);
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }
  fs::path write(const fs::path& name, std::string_view bytes) const {
    fs::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name, std::ios::binary) << bytes;
    return path_ / name;
  }

 private:
  fs::path path_;
};

// Keeps the image cache of a test out of the user's.
class TemporaryCache {
 public:
  TemporaryCache() { ::setenv("XDG_CACHE_HOME", folder_.path().c_str(), 1); }
  ~TemporaryCache() { ::unsetenv("XDG_CACHE_HOME"); }
  const fs::path path() const { return folder_.path() / "simmim" / "images"; }

 private:
  TemporaryFolder folder_;
};

// A data set in memory: image i of a split is pattern(h, w, i), its label i % classes; `bad` images cannot be read.
class FakeSource : public Source {
 public:
  FakeSource(int64_t train, int64_t test, int64_t classes, std::vector<int64_t> bad = {}, bool cache = false)
      : bad_(std::move(bad)), cache_(cache) {
    for (int64_t i = 0; i < classes; ++i) class_names_.push_back(fmt::format("class{}", i));
    for (auto [split, count] : {std::pair{Split::train, train}, {Split::test, test}})
      for (int64_t i = 0; i < count; ++i)
        items_of(split).push_back({fmt::format("{:04}", i), 10, classes == 0 ? -1 : i % classes});
  }
  void load(Split split, int64_t index, Image& out) const override {
    ++loads;
    if (split == Split::train && std::find(bad_.begin(), bad_.end(), index) != bad_.end())
      throw ImageError(fmt::format("{}: made unreadable", item(split, index).name));
    out = pattern(20 + index % 5, 24 - index % 3, index);
  }
  bool wants_cache() const override { return cache_; }
  mutable std::atomic<int64_t> loads = 0;

 private:
  std::vector<int64_t> bad_;
  bool cache_;
};

// The message and code of the Error that `action` throws; fails the test if it throws none.
template <class Action>
std::pair<Code, std::string> error_of(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    return {error.code(), error.what()};
  }
  return {Code::ok, "no error"};
}

}  // namespace simmim::testing_data
