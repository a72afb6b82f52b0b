// Fashion-MNIST (Xiao et al. 2017, arXiv 1708.07747): 28 x 28 grey photographs of clothes in ten classes, four IDX
// files, gzipped as Debian's dataset-fashion-mnist has them or plain.
#include <zlib.h>

#include <memory>
#include <mutex>

#include "core/hash.h"
#include "data/source.h"

namespace simmim {
namespace {

namespace fs = std::filesystem;

constexpr const char* kAdvice =
    "install Debian's dataset-fashion-mnist, or set data.root to the folder of its four files";

// An IDX file: big-endian magic (0x801: labels, 0x803: images), the sizes, then bytes.
struct Idx {
  std::vector<int64_t> sizes;
  std::vector<uint8_t> bytes;
};

struct GzClose {
  void operator()(gzFile_s* file) const { gzclose(file); }
};

// header_only: leaves `bytes` empty.
Idx read_idx(const fs::path& path, uint32_t magic, bool header_only) {
  std::unique_ptr<gzFile_s, GzClose> file(gzopen(path.c_str(), "rb"));
  if (file == nullptr) fail(Code::data, "{}: cannot read this file; {}", path.string(), kAdvice);
  const auto number = [&] {
    uint8_t b[4];
    if (gzread(file.get(), b, 4) != 4) fail(Code::data, "{}: ends within its header; {}", path.string(), kAdvice);
    return uint32_t{b[0]} << 24 | uint32_t{b[1]} << 16 | uint32_t{b[2]} << 8 | b[3];
  };
  if (const uint32_t got = number(); got != magic)
    fail(Code::data, "{}: starts with {:#x}, an IDX file of this kind with {:#x}; {}", path.string(), got, magic,
         kAdvice);
  Idx idx;
  int64_t total = 1;
  for (uint32_t i = 0; i < (magic & 0xff); ++i) total *= idx.sizes.emplace_back(number());
  if (idx.sizes[0] < 1 || total > (int64_t{1} << 31))
    fail(Code::data, "{}: claims sizes {}; {}", path.string(), fmt::join(idx.sizes, " x "), kAdvice);
  if (header_only) return idx;
  idx.bytes.resize(static_cast<size_t>(total));
  const int got = gzread(file.get(), idx.bytes.data(), static_cast<unsigned>(total));
  if (got != total)
    fail(Code::data, "{}: truncated or corrupt: {} bytes of {} could be read; {}", path.string(), std::max(got, 0),
         total, kAdvice);
  return idx;
}

class FashionMnist : public Source {
 public:
  explicit FashionMnist(const fs::path& root) {
    class_names_ = {"t-shirt", "trouser", "pullover", "dress", "coat",
                    "sandal",  "shirt",   "sneaker",  "bag",   "ankle-boot"};
    read_split(root, Split::train, "train");
    read_split(root, Split::test, "t10k");
  }

  void load(Split split, int64_t index, Image& out) const override {
    const Images& images = inflated(split);
    const int64_t h = images.idx.sizes[1], w = images.idx.sizes[2];
    out.resize(h, w);
    const uint8_t* from = images.idx.bytes.data() + index * h * w;
    for (int64_t i = 0; i < h * w; ++i)
      for (int64_t c = 0; c < 3; ++c) out.rgb[static_cast<size_t>(3 * i + c)] = from[i];
  }
  bool wants_cache() const override { return true; }
  bool grey() const override { return true; }

 private:
  struct Images {
    fs::path path;
    std::once_flag once;
    Idx idx;
  };

  static fs::path find(const fs::path& root, const std::string& name) {
    const fs::path plain = root / name;
    return fs::exists(plain) ? plain : fs::path(plain).concat(".gz");
  }

  void read_split(const fs::path& root, Split split, const std::string& prefix) {
    const fs::path labels_path = find(root, prefix + "-labels-idx1-ubyte");
    Images& images = images_[static_cast<size_t>(split)];
    images.path = find(root, prefix + "-images-idx3-ubyte");
    const Idx labels = read_idx(labels_path, 0x801, false);
    const Idx header = read_idx(images.path, 0x803, true);
    if (labels.sizes[0] != header.sizes[0])
      fail(Code::data, "{}: {} images beside {} labels; {}", images.path.string(), header.sizes[0], labels.sizes[0],
           kAdvice);
    for (int64_t i = 0; i < labels.sizes[0]; ++i) {
      const uint8_t label = labels.bytes[static_cast<size_t>(i)];
      if (label >= class_names_.size())
        fail(Code::data, "{}: label {} of image {}; allowed: 0 to 9", labels_path.string(), label, i);
      items_of(split).push_back({fmt::format("{}/{:05}", prefix, i), header.sizes[1] * header.sizes[2], label});
    }
    add_to_stamp(labels_path);
    add_to_stamp(images.path);
  }

  const Images& inflated(Split split) const {  // only when the cache of decoded images is made, or cannot be
    Images& images = images_[static_cast<size_t>(split)];
    std::call_once(images.once, [&] { images.idx = read_idx(images.path, 0x803, false); });
    return images;
  }

  mutable std::array<Images, 3> images_;
};

}  // namespace

std::unique_ptr<Source> open_fashion_mnist(const DataOptions& options, const fs::path& root) {
  refuse_split_options(options);
  return std::make_unique<FashionMnist>(root);
}

}  // namespace simmim
