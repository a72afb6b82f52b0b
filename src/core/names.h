// Names a user types: the nearest known one, and the list of what is allowed.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace simmim {

// The known name nearest to `got` (edit distance at most 3 and below half its length), or "" if none is near.
std::string nearest(std::string_view got, const std::vector<std::string>& known);

// "a, b or c"; empty for an empty list.
std::string one_of(const std::vector<std::string>& names);

// "; did you mean 'x'?" or "", then "; known: a, b or c": the tail of every message about an unknown name.
std::string unknown_name_hint(std::string_view got, const std::vector<std::string>& known);

std::vector<std::string> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string trim(std::string_view text);

}  // namespace simmim
