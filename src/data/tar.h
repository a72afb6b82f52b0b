// The little of the tar format that image shards need: ustar with GNU long names and pax headers in, ustar out.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/files.h"

namespace simmim {

struct TarEntry {
  std::string name;
  int64_t offset, bytes;  // of the content
};

// The regular files of a tar, in their order. Code::data naming the file where it is no tar or ends early.
std::vector<TarEntry> list_tar(std::string_view tar, const std::string& name);

// Appends one file (a name of at most 100 characters) or the two closing blocks. The same content gives the same bytes.
void append_tar_entry(const Append& append, const std::string& name, std::string_view content);
void append_tar_end(const Append& append);

}  // namespace simmim
