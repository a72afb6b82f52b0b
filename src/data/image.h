// A decoded image, and the codecs: JPEG, PNG, WebP and PPM bytes <-> 8-bit RGB, told apart by content, never by name.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace simmim {

struct Image {
  int64_t h = 0, w = 0;
  std::vector<uint8_t> rgb;  // h*w*3, rows from the top, R G B interleaved

  void resize(int64_t height, int64_t width) {  // pixels are undefined afterwards
    h = height, w = width;
    rgb.resize(static_cast<size_t>(h * w * 3));
  }
};

// One image cannot be read: corrupt, truncated, missing or of an unknown format. The message opens with its name.
class ImageError : public Error {
 public:
  explicit ImageError(const std::string& message) : Error(Code::data, message) {}
};

// Bytes -> RGB, into `out` (its memory is reused). Grey becomes three equal channels, alpha is dropped, of 16 bits a
// channel the upper 8 are kept and CMYK is converted: the values are those of Pillow's open(...).convert("RGB").
// `name` opens the message of the ImageError.
void decode_image(std::string_view bytes, const std::string& name, Image& out);
Image decode_image_file(const std::filesystem::path& path);

// Height and width from the header alone; throws ImageError.
struct ImageSize {
  int64_t h = 0, w = 0;
};
ImageSize probe_image(std::string_view bytes, const std::string& name);

// RGB -> a file's bytes. A PPM holds the pixels as they are.
std::string encode_png(const Image& image);
std::string encode_ppm(const Image& image);

// Whether a file name ends like an image (.jpg .jpeg .png .webp .ppm, any case).
bool has_image_suffix(const std::filesystem::path& path);

}  // namespace simmim
