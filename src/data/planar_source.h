// A source whose files hold raw pixels, one colour plane behind the other: CIFAR's and STL-10's binary releases. The
// files are mapped, nothing is copied before an image is asked for.
#pragma once
#include "core/files.h"
#include "data/source.h"

namespace simmim {

class PlanarSource : public Source {
 public:
  // transposed: pixels run down the columns first, as Matlab writes them.
  struct Layout {
    int64_t side = 32;
    bool transposed = false;
  };
  explicit PlanarSource(Layout layout) : layout_(layout) {}
  void load(Split split, int64_t index, Image& out) const override;

 protected:
  int64_t image_bytes() const { return 3 * layout_.side * layout_.side; }
  // Maps a file of records; Code::data unless its size is a positive multiple of record_bytes. Returns the records.
  int64_t add_file(const fs::path& path, int64_t record_bytes);
  std::string_view last_file() const { return files_.back().bytes(); }
  // An image of the file added last, at a byte offset.
  void add_image(Split split, std::string name, int64_t offset, int64_t label);

 private:
  struct Place {
    size_t file;
    int64_t offset;
  };
  Layout layout_;
  std::vector<MappedFile> files_;
  std::array<std::vector<Place>, 3> places_;
};

// The folder that holds `file`: root or root/inner; Code::data naming both where neither does.
fs::path folder_with(const fs::path& root, const std::string& inner, const std::string& file);

}  // namespace simmim
