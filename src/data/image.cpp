#include "data/image.h"

#include <algorithm>

#include "core/files.h"
#include "data/codecs.h"

namespace simmim {
namespace {

enum class Format { jpeg, png, webp, ppm };

Format format_of(std::string_view bytes, const std::string& name) {
  if (bytes.starts_with("\xff\xd8\xff")) return Format::jpeg;
  if (bytes.starts_with("\x89PNG\r\n\x1a\n")) return Format::png;
  if (bytes.size() >= 12 && bytes.starts_with("RIFF") && bytes.substr(8, 4) == "WEBP") return Format::webp;
  if (bytes.starts_with("P6")) return Format::ppm;
  throw ImageError(fmt::format("{}: {}; allowed: JPEG, PNG, WebP or PPM (P6)", name,
                               bytes.empty() ? "an empty file" : "not an image of a known format"));
}

}  // namespace

void codecs::check_size(int64_t h, int64_t w, const std::string& name) {
  if (h < 1 || w < 1 || h > (int64_t{1} << 28) / w)
    throw ImageError(fmt::format("{}: the header says {} x {} pixels; allowed: 1 to 268 million", name, w, h));
}

void decode_image(std::string_view bytes, const std::string& name, Image& out) {
  switch (format_of(bytes, name)) {
    case Format::jpeg:
      return codecs::decode_jpeg(bytes, name, out);
    case Format::png:
      return codecs::decode_png(bytes, name, out);
    case Format::webp:
      return codecs::decode_webp(bytes, name, out);
    case Format::ppm:
      return codecs::decode_ppm(bytes, name, out);
  }
}

ImageSize probe_image(std::string_view bytes, const std::string& name) {
  switch (format_of(bytes, name)) {
    case Format::jpeg:
      return codecs::probe_jpeg(bytes, name);
    case Format::png:
      return codecs::probe_png(bytes, name);
    case Format::webp:
      return codecs::probe_webp(bytes, name);
    case Format::ppm:
      return codecs::probe_ppm(bytes, name);
  }
  return {};
}

Image decode_image_file(const std::filesystem::path& path) {
  Image out;
  decode_image(read_file(path), path.string(), out);
  return out;
}

bool has_image_suffix(const std::filesystem::path& path) {
  std::string suffix = path.extension().string();
  std::transform(suffix.begin(), suffix.end(), suffix.begin(), [](unsigned char c) { return std::tolower(c); });
  return suffix == ".jpg" || suffix == ".jpeg" || suffix == ".png" || suffix == ".webp" || suffix == ".ppm";
}

}  // namespace simmim
