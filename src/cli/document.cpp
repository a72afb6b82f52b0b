#include "cli/document.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "core/names.h"

namespace simmim {
namespace {

std::string scalar_text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return fmt::format("{:.6g}", value.get<double>());
  if (value.is_null()) return "-";
  return value.dump();
}

bool is_table(const Json& value) {
  return value.is_array() && !value.empty() && std::all_of(value.begin(), value.end(), [](const Json& row) {
           return row.is_object() &&
                  std::none_of(row.begin(), row.end(), [](const Json& cell) { return cell.is_object(); });
         });
}

std::string list_text(const Json& list) {
  std::vector<std::string> parts;
  for (const Json& item : list) parts.push_back(item.is_structured() ? item.dump() : scalar_text(item));
  return join(parts, ", ");
}

std::string table_text(const Json& rows) {
  std::vector<std::string> heading;
  for (const Json& row : rows)
    for (const auto& [key, value] : row.items())
      if (std::find(heading.begin(), heading.end(), key) == heading.end()) heading.push_back(key);
  std::vector<std::vector<std::string>> cells = {heading};
  for (const Json& row : rows) {
    cells.emplace_back();
    for (const std::string& key : heading)
      cells.back().push_back(!row.contains(key)    ? ""
                             : row[key].is_array() ? list_text(row[key])
                                                   : scalar_text(row[key]));
  }
  return columns_text(cells);
}

void write(std::string& out, const Json& object, const std::string& indent) {
  size_t width = 0;
  for (const auto& [key, value] : object.items())
    if (!value.is_object() && !is_table(value)) width = std::max(width, key.size());
  for (const auto& [key, value] : object.items()) {
    if (value.is_object()) {
      out += fmt::format("{}{}:\n", indent, key);
      write(out, value, indent + "  ");
    } else if (is_table(value)) {
      out += fmt::format("{}{}:\n", indent, key);
      for (const std::string& line : split(table_text(value), '\n'))
        if (!line.empty()) out += indent + "  " + line + "\n";
    } else {
      out +=
          fmt::format("{}{:<{}}  {}\n", indent, key, width, value.is_array() ? list_text(value) : scalar_text(value));
    }
  }
}

// Letters, not bytes: ± and × count once.
size_t width_of(const std::string& text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char letter) { return (letter & 0xC0) != 0x80; }));
}

bool is_number(const std::string& text) {
  return text.empty() || text == "-" || text.find_first_not_of("0123456789.+-eE%") == std::string::npos;
}

}  // namespace

std::string columns_text(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  std::vector<bool> right;
  for (size_t row = 0; row < rows.size(); ++row)
    for (size_t column = 0; column < rows[row].size(); ++column) {
      if (column >= widths.size()) widths.push_back(0), right.push_back(rows.size() > 1);
      widths[column] = std::max(widths[column], width_of(rows[row][column]));
      if (row > 0 && !is_number(rows[row][column])) right[column] = false;
    }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (size_t column = 0; column < row.size(); ++column) {
      const std::string gap(widths[column] - width_of(row[column]), ' ');
      line += (column ? "  " : "") + (right[column] ? gap + row[column] : row[column] + gap);
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

std::string document_text(const Json& document) {
  if (is_table(document)) return table_text(document);
  if (!document.is_object()) return (document.is_array() ? list_text(document) : scalar_text(document)) + "\n";
  std::string out;
  write(out, document, "");
  return out;
}

void print_document(const Json& document, bool json) {
  const std::string text = json ? document.dump(2) + "\n" : document_text(document);
  std::fwrite(text.data(), 1, text.size(), stdout);
}

}  // namespace simmim
