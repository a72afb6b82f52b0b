// WebP through libwebp; the first frame of an animation is refused by libwebp and reported as unreadable.
#include <webp/decode.h>

#include "data/codecs.h"

namespace simmim::codecs {

ImageSize probe_webp(std::string_view bytes, const std::string& name) {
  int w = 0, h = 0;
  if (WebPGetInfo(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), &w, &h) == 0)
    throw ImageError(fmt::format("{}: not a readable WebP", name));
  check_size(h, w, name);
  return {h, w};
}

void decode_webp(std::string_view bytes, const std::string& name, Image& out) {
  const ImageSize size = probe_webp(bytes, name);
  out.resize(size.h, size.w);
  if (WebPDecodeRGBInto(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), out.rgb.data(), out.rgb.size(),
                        static_cast<int>(size.w * 3)) == nullptr)
    throw ImageError(fmt::format("{}: corrupt or truncated WebP", name));
}

}  // namespace simmim::codecs
