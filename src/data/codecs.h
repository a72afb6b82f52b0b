// One function a file format, behind image.h's decode_image. All throw ImageError whose message opens with `name`.
#pragma once
#include <string>
#include <string_view>

#include "data/image.h"

namespace simmim::codecs {

void decode_jpeg(std::string_view bytes, const std::string& name, Image& out);
ImageSize probe_jpeg(std::string_view bytes, const std::string& name);
void decode_png(std::string_view bytes, const std::string& name, Image& out);
ImageSize probe_png(std::string_view bytes, const std::string& name);
void decode_webp(std::string_view bytes, const std::string& name, Image& out);
ImageSize probe_webp(std::string_view bytes, const std::string& name);
void decode_ppm(std::string_view bytes, const std::string& name, Image& out);
ImageSize probe_ppm(std::string_view bytes, const std::string& name);

// Refuses headers that claim no pixels or more than 2^28 of them, before memory is taken for them.
void check_size(int64_t h, int64_t w, const std::string& name);

}  // namespace simmim::codecs
