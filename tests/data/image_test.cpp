#include "data/image.h"

#include <gtest/gtest.h>

#include "core/rng.h"
#include "data/support.h"

namespace simmim {
namespace {

using testing_data::crc;
using testing_data::error_of;
using testing_data::golden;
using testing_data::kFolder;

TEST(DecodeImage, GivesThePixelsOfPillowForEveryKindOfFile) {
  for (const Json& entry : golden()["image"]) {
    const Image image = decode_image_file(kFolder / "images" / entry["file"].get<std::string>());
    EXPECT_EQ(image.h, entry["h"].get<int64_t>());
    EXPECT_EQ(image.w, entry["w"].get<int64_t>());
    EXPECT_EQ(std::vector<uint8_t>(image.rgb.begin(), image.rgb.begin() + 6),
              entry["first"].get<std::vector<uint8_t>>())
        << entry;
    EXPECT_EQ(crc(image.rgb), entry["crc"].get<int64_t>()) << entry;
  }
}

TEST(DecodeImage, ReadsAPpmWithCommentsAndRefusesWhatIsNotWhole) {
  Image image, out;
  image.resize(2, 3);
  for (size_t i = 0; i < 18; ++i) image.rgb[i] = static_cast<uint8_t>(i * 13);
  const std::string file = encode_ppm(image), pixels = file.substr(file.size() - 18);
  for (const std::string& whole : {file, "P6 # by hand\n3 2\n# and so on\n255 " + pixels}) {
    decode_image(whole, "x", out);
    EXPECT_EQ(out.rgb, image.rgb);
    EXPECT_EQ(out.w, 3);
    EXPECT_EQ(probe_image(whole, "x").h, 2);
  }
  for (const auto& [bytes, reason] : std::vector<std::pair<std::string, std::string>>{
           {file.substr(0, file.size() - 1), "17 bytes of pixels, 3 x 2 have 18"},
           {file + "x", "19 bytes"},
           {"P6\n3 2\n65535\n" + pixels, "largest value is 65535"},
           {"P6\n3 ", "incomplete"},
           {"P6\n300000 300000\n255\n" + pixels, "allowed: 1 to 268 million"}})
    EXPECT_NE(error_of([&] { decode_image(bytes, "photo 7", out); }).second.find(reason), std::string::npos) << bytes;
}

TEST(ProbeImage, ReadsTheSizeFromTheHeader) {
  for (const Json& entry : golden()["image"]) {
    const std::string bytes = read_file(kFolder / "images" / entry["file"].get<std::string>());
    const ImageSize size = probe_image(bytes, "x");
    EXPECT_EQ(size.h, entry["h"].get<int64_t>()) << entry;
    EXPECT_EQ(size.w, entry["w"].get<int64_t>()) << entry;
  }
}

TEST(DecodeImage, NamesATruncatedFileOfEveryKind) {
  for (const Json& entry : golden()["image"]) {
    const std::string bytes = read_file(kFolder / "images" / entry["file"].get<std::string>());
    for (size_t length : {size_t{0}, size_t{5}, size_t{20}, bytes.size() / 2, bytes.size() - 30}) {
      Image out;
      const auto [code, message] = error_of([&] { decode_image(bytes.substr(0, length), "photo 7", out); });
      EXPECT_EQ(code, Code::data) << entry << " " << length;
      EXPECT_TRUE(message.starts_with("photo 7: ")) << message;
    }
  }
}

// Whatever the bytes, there is an image or an ImageError (the sanitizers watch the rest).
TEST(DecodeImage, SurvivesDamageAnywhere) {
  for (const Json& entry : golden()["image"]) {
    const std::string bytes = read_file(kFolder / "images" / entry["file"].get<std::string>());
    for (uint64_t i = 0; i < 200; ++i) {
      Rng rng(3, "damage", i);
      std::string damaged = bytes;
      for (int k = 0; k < 4; ++k) damaged[rng.below(damaged.size())] = static_cast<char>(rng.below(256));
      Image out;
      try {
        decode_image(damaged, "x", out);
        EXPECT_EQ(static_cast<int64_t>(out.rgb.size()), out.h * out.w * 3);
      } catch (const ImageError& error) {
        EXPECT_TRUE(std::string(error.what()).starts_with("x: "));
      }
    }
  }
}

TEST(DecodeImage, RefusesAHeaderThatClaimsTooManyPixels) {
  std::string png = read_file(kFolder / "images" / "rgb.png");
  png[16] = 0x7f, png[20] = 0x7f;  // width and height; the checksum no longer fits either
  Image out;
  EXPECT_THROW(decode_image(png, "x", out), ImageError);
  EXPECT_THROW(decode_image("GIF89a and more", "x", out), ImageError);
}

TEST(EncodePng, DecodesToTheSamePixels) {
  const Image image = testing_data::pattern(13, 31);
  Image back;
  decode_image(encode_png(image), "x", back);
  EXPECT_EQ(back.h, 13);
  EXPECT_EQ(back.w, 31);
  EXPECT_EQ(back.rgb, image.rgb);
}

TEST(DecodeImageFile, NamesAMissingFile) {
  const auto [code, message] = error_of([] { decode_image_file("/nowhere/a.jpg"); });
  EXPECT_EQ(code, Code::data);
  EXPECT_TRUE(message.starts_with("/nowhere/a.jpg: ")) << message;
}

}  // namespace
}  // namespace simmim
