// The parts of a zip archive that torch.save writes: stored (not compressed) entries, with zip64 sizes. Internal to
// weights/.
#pragma once
#include <map>
#include <string>
#include <string_view>

namespace simmim {

// Entry name -> its bytes inside the archive. Code::data with `where` if the archive is cut off, damaged, compressed or
// encrypted. Checksums are not computed.
std::map<std::string, std::string_view> read_zip(std::string_view archive, const std::string& where);

}  // namespace simmim
