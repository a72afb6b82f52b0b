#include "core/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace simmim {
namespace {

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
      diagonal = above;
    }
  }
  return row.back();
}

}  // namespace

std::string nearest(std::string_view got, const std::vector<std::string>& known) {
  std::string best;
  size_t best_distance = std::min<size_t>(4, got.size() / 2 + 1);
  for (const std::string& name : known) {
    const size_t distance = edit_distance(got, name);
    if (distance < best_distance) best = name, best_distance = distance;
  }
  return best;
}

std::string one_of(const std::vector<std::string>& names) {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i) text += (i == 0 ? "" : i + 1 == names.size() ? " or " : ", ") + names[i];
  return text;
}

std::string unknown_name_hint(std::string_view got, const std::vector<std::string>& known) {
  std::string hint;
  if (const std::string near = nearest(got, known); !near.empty()) hint += fmt::format("; did you mean '{}'?", near);
  if (!known.empty()) hint += fmt::format("{} known: {}", hint.empty() ? ";" : "", one_of(known));
  return hint;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  size_t start = 0;
  for (size_t end; (end = text.find(separator, start)) != std::string_view::npos; start = end + 1)
    parts.emplace_back(text.substr(start, end - start));
  parts.emplace_back(text.substr(start));
  return parts;
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  return fmt::format("{}", fmt::join(parts, separator));
}

std::string trim(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1));
}

}  // namespace simmim
