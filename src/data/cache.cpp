// Layout: 16 bytes of magic, int64 number of images, then one record an image {int64 offset, int32 h, w, channels, 0},
// then the pixels. h = 0: the image could not be read, and the w bytes at offset are the reason.
#include "data/cache.h"

#include <cstring>

#include "core/hash.h"

namespace simmim {
namespace {

constexpr char kMagic[17] = "simmim-images-01";
constexpr int64_t kLargestBytes = int64_t{1} << 30;

struct Record {
  int64_t offset;
  int32_t h, w, channels, zero;
};

int64_t header_bytes(int64_t images) { return 24 + images * static_cast<int64_t>(sizeof(Record)); }

int64_t count(const Source& source) {
  int64_t images = 0;
  for (Split split : kSplits) images += static_cast<int64_t>(source.items(split).size());
  return images;
}

// Everything but the magic, or nullopt where it would grow too large.
std::optional<std::string> decode_all(const Source& source) {
  const int64_t images = count(source), channels = source.grey() ? 1 : 3;
  std::string body(static_cast<size_t>(header_bytes(images)), '\0');
  std::memcpy(body.data(), kMagic, 16);
  std::memcpy(body.data() + 16, &images, 8);
  Image image;
  int64_t number = 0;
  for (Split split : kSplits)
    for (int64_t i = 0; i < static_cast<int64_t>(source.items(split).size()); ++i, ++number) {
      Record record{static_cast<int64_t>(body.size()), 0, 0, static_cast<int32_t>(channels), 0};
      try {
        source.load(split, i, image);
        record.h = static_cast<int32_t>(image.h), record.w = static_cast<int32_t>(image.w);
        if (channels == 3)
          body.append(reinterpret_cast<const char*>(image.rgb.data()), image.rgb.size());
        else
          for (size_t at = 0; at < image.rgb.size(); at += 3) body += static_cast<char>(image.rgb[at]);
      } catch (const ImageError& error) {
        record.w = static_cast<int32_t>(std::strlen(error.what()));
        body += error.what();
      }
      if (static_cast<int64_t>(body.size()) > kLargestBytes) return std::nullopt;
      std::memcpy(body.data() + header_bytes(number), &record, sizeof(record));
    }
  return body;
}

bool is_complete(const MappedFile& file, int64_t images) {
  const std::string_view bytes = file.bytes();
  int64_t stored = -1;
  if (static_cast<int64_t>(bytes.size()) >= header_bytes(images)) std::memcpy(&stored, bytes.data() + 16, 8);
  return stored == images && bytes.starts_with(std::string_view(kMagic, 16));
}

}  // namespace

DecodedCache::DecodedCache(MappedFile file, const Source& source) : file_(std::move(file)) {
  int64_t first = 0;
  for (Split split : kSplits) {
    first_[static_cast<size_t>(split)] = first;
    first += static_cast<int64_t>(source.items(split).size());
  }
}

std::optional<DecodedCache> DecodedCache::open(const Source& source, const std::string& name,
                                               const std::string& fingerprint) {
  fs::path path;
  std::optional<FileLock> lock;
  try {
    make_folder(cache_folder() / "images");
    path = cache_folder() / "images" / fmt::format("{}-{}-{:016x}.bin", name, fingerprint, source.stamp());
    lock = FileLock::wait_lock(fs::path(path).concat(".lock"));
  } catch (const Error&) {
    return std::nullopt;  // no right to write: slower, not wrong
  }
  if (fs::exists(path)) {
    MappedFile file(path);
    if (is_complete(file, count(source))) return DecodedCache(std::move(file), source);
  }
  const std::optional<std::string> body = decode_all(source);
  if (!body) return std::nullopt;
  try {
    write_file_atomically(path, *body);
  } catch (const Error&) {
    return std::nullopt;  // no room
  }
  return DecodedCache(MappedFile(path), source);
}

void DecodedCache::load(Split split, int64_t index, Image& out) const {
  const std::string_view bytes = file_.bytes();
  Record record;
  std::memcpy(&record, bytes.data() + header_bytes(first_[static_cast<size_t>(split)] + index), sizeof(record));
  const int64_t pixels = int64_t{record.h} * record.w;
  const int64_t length = record.h == 0 ? record.w : pixels * record.channels;
  SIMMIM_CHECK(record.offset >= 0 && length >= 0 && record.offset + length <= static_cast<int64_t>(bytes.size()),
               "record {} of the image cache", index);
  const char* from = bytes.data() + record.offset;
  if (record.h == 0) throw ImageError(std::string(from, static_cast<size_t>(length)));
  out.resize(record.h, record.w);
  if (record.channels == 3) {
    std::memcpy(out.rgb.data(), from, static_cast<size_t>(length));
  } else {
    for (int64_t i = 0; i < pixels; ++i) std::memset(out.rgb.data() + 3 * i, from[i], 3);
  }
}

}  // namespace simmim
