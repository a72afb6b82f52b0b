#include "data/tar.h"

#include <charconv>
#include <cstring>

#include "core/error.h"

namespace simmim {
namespace {

constexpr size_t kBlock = 512;

std::string_view text_field(std::string_view header, size_t at, size_t length) {
  const std::string_view field = header.substr(at, length);
  return field.substr(0, field.find('\0'));
}

// Octal digits, or big-endian binary where the first bit is set (sizes from 8 GiB up).
int64_t number_field(std::string_view header, size_t at, size_t length) {
  std::string_view field = header.substr(at, length);
  if (static_cast<uint8_t>(field[0]) & 0x80) {
    uint64_t value = static_cast<uint8_t>(field[0]) & 0x7f;
    for (size_t i = 1; i < length; ++i) value = value << 8 | static_cast<uint8_t>(field[i]);
    return static_cast<int64_t>(value);
  }
  while (!field.empty() && field[0] == ' ') field.remove_prefix(1);
  int64_t value = 0;
  std::from_chars(field.data(), field.data() + field.size(), value, 8);
  return value;
}

int64_t checksum(std::string_view header) {
  int64_t sum = 0;
  for (size_t i = 0; i < kBlock; ++i) sum += i >= 148 && i < 156 ? ' ' : static_cast<uint8_t>(header[i]);
  return sum;
}

// A pax header is lines "LENGTH key=value\n".
void read_pax(std::string_view text, std::string& name, int64_t& bytes) {
  while (!text.empty()) {
    size_t length = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
    if (error != std::errc{} || length == 0 || length > text.size()) return;
    std::string_view line(end + 1,
                          text.data() + length > end + 2 ? static_cast<size_t>(text.data() + length - end - 2) : 0);
    if (line.starts_with("path=")) name = line.substr(5);
    if (line.starts_with("size=")) std::from_chars(line.data() + 5, line.data() + line.size(), bytes);
    text.remove_prefix(length);
  }
}

}  // namespace

std::vector<TarEntry> list_tar(std::string_view tar, const std::string& name) {
  std::vector<TarEntry> entries;
  std::string long_name;
  int64_t long_bytes = -1;
  for (size_t at = 0; at + kBlock <= tar.size();) {
    const std::string_view header = tar.substr(at, kBlock);
    if (header[0] == '\0') return entries;
    if (number_field(header, 148, 8) != checksum(header))
      fail(Code::data, "{}: no tar header at byte {}; the file is damaged or no tar (compressed tars are not read)",
           name, at);
    int64_t bytes = number_field(header, 124, 12);
    const char type = header[156];
    if (long_bytes >= 0 && (type == '0' || type == '\0')) bytes = long_bytes;
    at += kBlock;
    if (bytes < 0 || static_cast<uint64_t>(bytes) > tar.size() - at)
      fail(Code::data, "{}: ends within '{}': {} of {} bytes are there; the file is truncated, copy it again", name,
           text_field(header, 0, 100), tar.size() - at, bytes);
    const std::string_view content = tar.substr(at, static_cast<size_t>(bytes));
    if (type == 'L') {
      long_name = content.substr(0, content.find('\0'));
    } else if (type == 'x') {
      read_pax(content, long_name, long_bytes);
    } else {
      if (type == '0' || type == '\0') {
        std::string path(text_field(header, 0, 100));
        if (const auto prefix = text_field(header, 345, 155); header.substr(257, 5) == "ustar" && !prefix.empty())
          path = fmt::format("{}/{}", prefix, path);
        entries.push_back({long_name.empty() ? path : long_name, static_cast<int64_t>(at), bytes});
      }
      long_name.clear(), long_bytes = -1;
    }
    at += (static_cast<size_t>(bytes) + kBlock - 1) / kBlock * kBlock;
  }
  if (entries.empty()) fail(Code::data, "{}: {} bytes are no tar", name, tar.size());
  return entries;
}

void append_tar_entry(const Append& append, const std::string& name, std::string_view content) {
  SIMMIM_CHECK(name.size() <= 100, "{}", name);
  char header[kBlock] = {};
  std::memcpy(header, name.data(), name.size());
  std::memcpy(header + 100,
              "0000644\0"
              "0000000\0"
              "0000000\0",
              24);  // mode, user, group
  fmt::format_to_n(header + 124, 11, "{:011o}", content.size());
  std::memcpy(header + 136, "00000000000", 11);  // time
  std::memcpy(header + 156,
              "0ustar\0"
              "00",
              9);  // type, magic, version
  fmt::format_to_n(header + 148, 7, "{:06o}", checksum({header, kBlock}));
  header[154] = '\0';
  append(header, kBlock);
  append(content.data(), content.size());
  const char zeros[kBlock] = {};
  append(zeros, (kBlock - content.size() % kBlock) % kBlock);
}

void append_tar_end(const Append& append) {
  const char zeros[2 * kBlock] = {};
  append(zeros, sizeof(zeros));
}

}  // namespace simmim
