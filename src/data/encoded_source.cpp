#include "data/encoded_source.h"

#include "core/hash.h"

namespace simmim {
namespace {

constexpr int64_t kCachedFileBytes = int64_t{256} << 20, kCachedPixelBytes = int64_t{512} << 20;

std::string& buffer_of_thread() {
  thread_local std::string buffer;
  return buffer;
}

}  // namespace

void EncodedSource::load(Split split, int64_t index, Image& out) const {
  decode_image(bytes(split, index, buffer_of_thread()), item(split, index).name, out);
}

std::string EncodedSource::encoded(Split split, int64_t index, std::string& suffix) const {
  const std::string_view content = bytes(split, index, buffer_of_thread());
  suffix = content.starts_with("\x89PNG") ? "png"
           : content.starts_with("RIFF")  ? "webp"
           : content.starts_with("P6")    ? "ppm"
                                          : "jpg";
  return std::string(content);
}

uint64_t EncodedSource::content_hash(Split split, int64_t index) const {
  return hash64(bytes(split, index, buffer_of_thread()));
}

bool EncodedSource::wants_cache() const {
  int64_t stored = 0, decoded = 0;
  for (Split split : kSplits)
    for (const Item& each : items(split)) stored += each.bytes;
  if (stored > kCachedFileBytes) return false;
  for (Split split : kSplits)
    for (int64_t i = 0; i < static_cast<int64_t>(items(split).size()); ++i) {
      try {
        const std::string_view content = bytes(split, i, buffer_of_thread());
        if (content.starts_with("P6")) return false;  // a copy of pixels is no faster than these
        const ImageSize size = probe_image(content, "");
        decoded += size.h * size.w * 3;
      } catch (const ImageError&) {
        continue;  // unreadable: it takes no room
      }
      if (decoded > kCachedPixelBytes) return false;
    }
  return true;
}

}  // namespace simmim
