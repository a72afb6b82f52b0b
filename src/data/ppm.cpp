// Binary PPM ("P6"): a line of text and the raw pixels, which is how packed pixels are stored.
#include <algorithm>
#include <cctype>
#include <charconv>

#include "data/codecs.h"

namespace simmim {
namespace {

struct PpmHeader {
  ImageSize size;
  size_t pixels = 0;  // where they begin
};

// The next number, after white space and comments (# to the end of the line); -1 where there is none.
int64_t next_number(std::string_view bytes, size_t& at) {
  while (at < bytes.size() && (std::isspace(static_cast<unsigned char>(bytes[at])) || bytes[at] == '#'))
    at = bytes[at] == '#' ? std::min(bytes.find('\n', at), bytes.size()) : at + 1;
  int64_t value = -1;
  const auto [end, error] = std::from_chars(bytes.data() + at, bytes.data() + bytes.size(), value);
  at = static_cast<size_t>(end - bytes.data());
  return error == std::errc{} ? value : -1;
}

PpmHeader read_ppm_header(std::string_view bytes, const std::string& name) {
  PpmHeader header{.pixels = 2};
  header.size.w = next_number(bytes, header.pixels);
  header.size.h = next_number(bytes, header.pixels);
  const int64_t largest = next_number(bytes, header.pixels);
  if (header.size.w < 0 || header.size.h < 0 || header.pixels >= bytes.size())
    throw ImageError(fmt::format("{}: corrupt or truncated PPM: the header is incomplete", name));
  if (largest != 255) throw ImageError(fmt::format("{}: a PPM whose largest value is {}; allowed: 255", name, largest));
  ++header.pixels;
  codecs::check_size(header.size.h, header.size.w, name);
  return header;
}

}  // namespace

ImageSize codecs::probe_ppm(std::string_view bytes, const std::string& name) {
  return read_ppm_header(bytes, name).size;
}

void codecs::decode_ppm(std::string_view bytes, const std::string& name, Image& out) {
  const PpmHeader header = read_ppm_header(bytes, name);
  const auto [h, w] = header.size;
  if (const size_t there = bytes.size() - header.pixels, wanted = static_cast<size_t>(h * w * 3); there != wanted)
    throw ImageError(
        fmt::format("{}: corrupt or truncated PPM: {} bytes of pixels, {} x {} have {}", name, there, w, h, wanted));
  out.h = h, out.w = w;
  const auto* pixels = reinterpret_cast<const uint8_t*>(bytes.data() + header.pixels);
  out.rgb.assign(pixels, pixels + h * w * 3);
}

std::string encode_ppm(const Image& image) {
  std::string out = fmt::format("P6\n{} {}\n255\n", image.w, image.h);
  out.append(reinterpret_cast<const char*>(image.rgb.data()), image.rgb.size());
  return out;
}

}  // namespace simmim
