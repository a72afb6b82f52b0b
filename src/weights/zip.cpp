#include "weights/zip.h"

#include <cstdint>

#include "core/error.h"
#include "weights/bytes.h"

namespace simmim {
namespace {

constexpr std::string_view kLocal = "PK\3\4", kCentral = "PK\1\2", kEnd = "PK\5\6", kEnd64 = "PK\6\6",
                           kLocator64 = "PK\6\7";
constexpr size_t kEndSize = 22, kLocatorSize = 20;

struct Directory {
  uint64_t entries = 0, size = 0, offset = 0;
};

}  // namespace

std::map<std::string, std::string_view> read_zip(std::string_view archive, const std::string& where) {
  const auto cut_off = [&]() {
    fail(Code::data,
         "{}: this file is cut off or damaged: the table of contents at its end is missing or does not fit; copy or "
         "download it again",
         where);
  };
  const auto reader_at = [&](uint64_t offset, std::string_view signature) {
    if (offset > archive.size()) cut_off();
    ByteReader reader(archive.substr(offset), cut_off);
    if (reader.take(signature.size()) != signature) cut_off();
    return reader;
  };

  // The end record: within the last 64 KiB (a comment may follow it).
  const size_t end_at = archive.rfind(kEnd);
  if (end_at == std::string_view::npos || archive.size() - end_at > kEndSize + 0xFFFF) cut_off();
  auto end = reader_at(end_at, kEnd);
  end.skip(4 + 2);  // disk numbers, entries on this disk
  Directory directory{end.number<uint16_t>(), end.number<uint32_t>(), end.number<uint32_t>()};
  end.skip(end.number<uint16_t>());  // comment
  if (end_at >= kLocatorSize && archive.substr(end_at - kLocatorSize, 4) == kLocator64) {
    auto locator = reader_at(end_at - kLocatorSize, kLocator64);
    locator.skip(4);
    auto end64 = reader_at(locator.number<uint64_t>(), kEnd64);
    end64.skip(8 + 2 + 2 + 4 + 4 + 8);  // size, versions, disks, entries on this disk
    directory = {end64.number<uint64_t>(), end64.number<uint64_t>(), end64.number<uint64_t>()};
  }
  if (directory.offset > archive.size() || directory.size > archive.size() - directory.offset) cut_off();

  std::map<std::string, std::string_view> entries;
  ByteReader reader(archive.substr(directory.offset, directory.size), cut_off);
  for (uint64_t i = 0; i < directory.entries; ++i) {
    if (reader.take(4) != kCentral) cut_off();
    reader.skip(4);  // versions
    const auto flags = reader.number<uint16_t>(), method = reader.number<uint16_t>();
    reader.skip(8);  // time, date, checksum
    uint64_t packed = reader.number<uint32_t>(), size = reader.number<uint32_t>();
    const auto name_size = reader.number<uint16_t>(), extra_size = reader.number<uint16_t>();
    const auto comment_size = reader.number<uint16_t>();
    reader.skip(8);  // disk, attributes
    uint64_t offset = reader.number<uint32_t>();
    const std::string name(reader.take(name_size));
    ByteReader extra(reader.take(extra_size), cut_off);
    while (extra.position() + 4 <= extra_size) {
      const auto id = extra.number<uint16_t>(), length = extra.number<uint16_t>();
      ByteReader field(extra.take(length), cut_off);
      if (id != 1) continue;  // 1: zip64, holds what did not fit above, in this order
      for (uint64_t* value : {&size, &packed, &offset})
        if (*value == 0xFFFFFFFF) *value = field.template number<uint64_t>();
    }
    reader.skip(comment_size);
    if ((flags & 1) != 0 || method != 0 || packed != size)
      fail(Code::data,
           "{}: the entry '{}' is compressed or encrypted, which torch.save never does; unpack and save it again",
           where, name);

    auto local = reader_at(offset, kLocal);
    local.skip(22);
    const auto local_name = local.template number<uint16_t>(), local_extra = local.template number<uint16_t>();
    local.skip(uint64_t{local_name} + local_extra);
    if (!entries.emplace(name, local.take(size)).second)
      fail(Code::data, "{}: damaged archive: the entry '{}' stands twice", where, name);
  }
  return entries;
}

}  // namespace simmim
