#include "data/list_file.h"

#include <algorithm>

#include "core/files.h"
#include "core/names.h"

namespace simmim {
namespace {

std::vector<std::string> split_line(std::string_view line, const std::string& where) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"')
      fields.back() += line[i++];
    else if (line[i] == '"')
      quoted = !quoted;
    else if (line[i] == ',' && !quoted)
      fields.emplace_back();
    else
      fields.back() += line[i];
  }
  if (quoted) fail(Code::data, "{}: a double quote is not closed", where);
  return fields;
}

}  // namespace

std::vector<ListedImage> read_list_file(const fs::path& path) {
  const std::string text = read_file(path);
  std::vector<ListedImage> images;
  std::vector<std::string> columns;
  const std::vector<std::string> known = {"path", "label", "split"};
  int64_t number = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line(text.data() + begin, end - begin);
    begin = end + 1;
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::string where = fmt::format("{}:{}", path.string(), ++number);
    if (line.empty()) continue;
    const std::vector<std::string> fields = split_line(line, where);
    if (columns.empty()) {
      columns = fields;
      for (const std::string& column : columns)
        if (std::find(known.begin(), known.end(), column) == known.end())
          fail(Code::data, "{}: unknown column '{}'{}; the first line names the columns, as in path,label,split", where,
               column, unknown_name_hint(column, known));
      if (std::find(columns.begin(), columns.end(), "path") == columns.end())
        fail(Code::data, "{}: no column 'path'; the first line names the columns, as in path,label,split", where);
      continue;
    }
    if (fields.size() != columns.size())
      fail(Code::data, "{}: {} fields, the first line has {}", where, fields.size(), columns.size());
    ListedImage& image = images.emplace_back();
    image.line = number;
    for (size_t i = 0; i < fields.size(); ++i) {
      if (columns[i] == "path") image.path = fields[i];
      if (columns[i] == "label") image.label = fields[i];
      if (columns[i] == "split") image.split = parse_split(fields[i], where);
    }
    if (image.path.empty()) fail(Code::data, "{}: an empty path", where);
  }
  if (images.empty())
    fail(Code::data, "{}: lists no image; expected a line path,label,split and then one line an image", path.string());
  return images;
}

}  // namespace simmim
