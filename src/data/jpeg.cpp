// JPEG through libjpeg-turbo's TurboJPEG interface: accurate DCT and smooth chroma upsampling, as Pillow decodes.
#include <turbojpeg.h>

#include <cstring>
#include <memory>

#include "data/codecs.h"

namespace simmim::codecs {
namespace {

struct Decompressor {
  tjhandle handle = tjInitDecompress();
  ~Decompressor() { tjDestroy(handle); }
};

std::unique_ptr<Decompressor>& mine() {
  thread_local std::unique_ptr<Decompressor> decompressor;
  return decompressor;
}

tjhandle decompressor() {
  if (mine() == nullptr) mine() = std::make_unique<Decompressor>();
  return mine()->handle;
}

// The reason of the last failure. The decompressor is thrown away: TurboJPEG 2.1 leaves one that failed within a header
// in the middle of it, and the next image would be read wrongly.
struct Failure {
  bool fatal = tjGetErrorCode(decompressor()) == TJERR_FATAL;
  std::string reason = tjGetErrorStr2(decompressor());
  Failure() { mine().reset(); }
};

struct Header {
  int w = 0, h = 0, subsampling = 0, colorspace = 0;
};

Header read_header(std::string_view bytes, const std::string& name) {
  Header header;
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  if (tjDecompressHeader3(decompressor(), data, bytes.size(), &header.w, &header.h, &header.subsampling,
                          &header.colorspace) != 0) {
    const Failure failure;
    if (failure.fatal) throw ImageError(fmt::format("{}: not a readable JPEG: {}", name, failure.reason));
  }
  check_size(header.h, header.w, name);
  return header;
}

// A warning leaves pixels that are grey or garbage, but for bytes after or between the segments, which hurt nothing.
void check_failure(const std::string& name) {
  const Failure failure;
  if (!failure.fatal && failure.reason.find("extraneous bytes") != std::string::npos) return;
  throw ImageError(fmt::format("{}: corrupt or truncated JPEG: {}", name, failure.reason));
}

// Files store CMYK inverted, as Adobe does; the conversion is Pillow's (Convert.c, cmyk2rgb).
void cmyk_to_rgb(const uint8_t* cmyk, int64_t pixels, uint8_t* rgb) {
  for (int64_t i = 0; i < pixels; ++i) {
    const int black = cmyk[4 * i + 3];  // already 255 - k
    for (int64_t c = 0; c < 3; ++c) {
      const int product = (255 - cmyk[4 * i + c]) * black + 128;
      rgb[3 * i + c] = static_cast<uint8_t>(black - (((product >> 8) + product) >> 8));
    }
  }
}

}  // namespace

ImageSize probe_jpeg(std::string_view bytes, const std::string& name) {
  const Header header = read_header(bytes, name);
  return {header.h, header.w};
}

void decode_jpeg(std::string_view bytes, const std::string& name, Image& out) {
  const Header header = read_header(bytes, name);
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  out.resize(header.h, header.w);
  const bool four = header.colorspace == TJCS_CMYK || header.colorspace == TJCS_YCCK;
  std::vector<uint8_t> cmyk(four ? static_cast<size_t>(out.h * out.w * 4) : 0);
  uint8_t* pixels = four ? cmyk.data() : out.rgb.data();
  if (tjDecompress2(decompressor(), data, bytes.size(), pixels, header.w, 0, header.h, four ? TJPF_CMYK : TJPF_RGB,
                    0) != 0)
    check_failure(name);
  if (four) cmyk_to_rgb(cmyk.data(), out.h * out.w, out.rgb.data());
}

}  // namespace simmim::codecs
