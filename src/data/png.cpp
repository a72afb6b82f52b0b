// PNG through libpng, both ways. libpng reports errors by longjmp, so the functions that it may jump out of hold
// nothing that needs a destructor.
#include <png.h>

#include <csetjmp>
#include <cstring>

#include "data/codecs.h"

namespace simmim {
namespace {

struct Reading {
  const unsigned char* at;
  size_t left;
  Image* out;  // nullptr: the header only
  ImageSize size{};
  char error[200] = {};
};

void on_error(png_structp png, const char* message) {
  std::strncpy(static_cast<Reading*>(png_get_error_ptr(png))->error, message, sizeof(Reading::error) - 1);
  png_longjmp(png, 1);
}

void on_warning(png_structp, const char*) {}

void on_read(png_structp png, png_bytep to, size_t count) {
  Reading& reading = *static_cast<Reading*>(png_get_io_ptr(png));
  if (count > reading.left) png_error(png, "the file ends early");
  std::memcpy(to, reading.at, count);
  reading.at += count, reading.left -= count;
}

// Everything becomes 8-bit RGB: palettes and small depths widened, of 16 bits the upper 8, grey three times, alpha
// dropped.
bool run(Reading& reading) {
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reading, on_error, on_warning);
  png_infop info = png_create_info_struct(png);
  if (setjmp(png_jmpbuf(png))) {
    png_destroy_read_struct(&png, &info, nullptr);
    return false;
  }
  png_set_read_fn(png, &reading, on_read);
  png_read_info(png, info);
  reading.size = {png_get_image_height(png, info), png_get_image_width(png, info)};
  if (reading.size.h > (int64_t{1} << 28) / reading.size.w) png_error(png, "more than 268 million pixels");
  if (reading.out != nullptr) {
    png_set_expand(png);
    png_set_strip_16(png);
    png_set_gray_to_rgb(png);
    png_set_strip_alpha(png);
    const int passes = png_set_interlace_handling(png);
    png_read_update_info(png, info);
    if (png_get_rowbytes(png, info) != static_cast<size_t>(reading.size.w * 3)) png_error(png, "unexpected row size");
    reading.out->resize(reading.size.h, reading.size.w);
    for (int pass = 0; pass < passes; ++pass)
      for (int64_t row = 0; row < reading.size.h; ++row)
        png_read_row(png, reading.out->rgb.data() + row * reading.size.w * 3, nullptr);
    png_read_end(png, nullptr);
  }
  png_destroy_read_struct(&png, &info, nullptr);
  return true;
}

Reading read_png(std::string_view bytes, const std::string& name, Image* out) {
  Reading reading{reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), out};
  if (!run(reading)) throw ImageError(fmt::format("{}: corrupt or truncated PNG: {}", name, reading.error));
  return reading;
}

}  // namespace

void codecs::decode_png(std::string_view bytes, const std::string& name, Image& out) { read_png(bytes, name, &out); }

ImageSize codecs::probe_png(std::string_view bytes, const std::string& name) {
  return read_png(bytes, name, nullptr).size;
}

std::string encode_png(const Image& image) {
  png_image header{};
  header.version = PNG_IMAGE_VERSION;
  header.width = static_cast<png_uint_32>(image.w), header.height = static_cast<png_uint_32>(image.h);
  header.format = PNG_FORMAT_RGB;
  png_alloc_size_t bytes = PNG_IMAGE_PNG_SIZE_MAX(header);
  std::string out(bytes, '\0');
  SIMMIM_CHECK(png_image_write_to_memory(&header, out.data(), &bytes, 0, image.rgb.data(), 0, nullptr), "{}",
               header.message);
  out.resize(bytes);
  return out;
}

}  // namespace simmim
