#include "weights/zip.h"

#include <cstdint>

#include "temporary.h"

namespace simmim {
namespace {

template <class T>
std::string little(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

struct Part {
  std::string name, bytes;
  uint16_t flags = 0, method = 0;
  bool zip64 = false;  // sizes and offset in the extra field
};

std::string archive_of(const std::vector<Part>& parts, const std::string& comment = "") {
  std::string out, directory;
  for (const Part& part : parts) {
    const auto offset = static_cast<uint32_t>(out.size()), size = static_cast<uint32_t>(part.bytes.size());
    const auto name_size = static_cast<uint16_t>(part.name.size());
    const std::string local_padding(3, 'F');
    out += "PK\3\4" + std::string(22, '\0') + little(name_size) + little(static_cast<uint16_t>(local_padding.size())) +
           part.name + local_padding + part.bytes;
    const std::string sizes = part.zip64 ? std::string(8, '\xff') : little(size) + little(size);
    const std::string extra = part.zip64 ? little(uint16_t{7}) + little(uint16_t{2}) + "??" + little(uint16_t{1}) +
                                               little(uint16_t{24}) + little(uint64_t{size}) + little(uint64_t{size}) +
                                               little(uint64_t{offset})
                                         : "";
    directory += "PK\1\2" + std::string(4, '\0') + little(part.flags) + little(part.method) + std::string(8, '\0') +
                 sizes + little(name_size) + little(static_cast<uint16_t>(extra.size())) + std::string(2 + 8, '\0') +
                 (part.zip64 ? std::string(4, '\xff') : little(offset)) + part.name + extra;
  }
  const auto count = static_cast<uint16_t>(parts.size());
  const auto directory_at = static_cast<uint32_t>(out.size());
  return out + directory + "PK\5\6" + std::string(4, '\0') + little(count) + little(count) +
         little(static_cast<uint32_t>(directory.size())) + little(directory_at) +
         little(static_cast<uint16_t>(comment.size())) + comment;
}

TEST(Zip, FindsStoredEntriesAlsoWithSizesBeyond32BitsAndAComment) {
  for (const bool zip64 : {false, true}) {
    const std::string archive =
        archive_of({{.name = "a/x", .bytes = "hello", .zip64 = zip64}, {.name = "a/y", .zip64 = zip64}}, "a comment");
    const auto entries = read_zip(archive, "z");
    ASSERT_EQ(entries.size(), 2u);
    EXPECT_EQ(entries.at("a/x"), "hello");
    EXPECT_EQ(entries.at("a/y"), "");
  }
}

TEST(Zip, RefusesWhatTorchNeverWrites) {
  const auto refusal = [](const std::string& archive) { return error_of(Code::data, [&] { read_zip(archive, "z"); }); };
  const std::string compressed = "z: the entry 'x' is compressed or encrypted";
  EXPECT_EQ(refusal(archive_of({{.name = "x", .method = 8}})).find(compressed), 0u);
  EXPECT_EQ(refusal(archive_of({{.name = "x", .flags = 1}})).find(compressed), 0u);
  EXPECT_EQ(refusal(archive_of({{.name = "x"}, {.name = "x"}})), "z: damaged archive: the entry 'x' stands twice");
  EXPECT_EQ(refusal("PK\3\4 and nothing more").find("z: this file is cut off or damaged"), 0u);
}

}  // namespace
}  // namespace simmim
