// Tar shards with WebDataset's naming: 000001.jpg and 000001.cls lie next to each other in a tar.
#pragma once
#include <string>
#include <vector>

namespace simmim {

// "shard-{000..009}.tar" or "{a,b}.tar" -> every name; several braces multiply. Usage error (opening with `where`) for
// a brace that is not closed or an impossible range.
std::vector<std::string> expand_braces(const std::string& pattern, const std::string& where);

}  // namespace simmim
