#include "cli/output.h"

#include <algorithm>
#include <cstdio>

#include "core/error.h"
#include "core/files.h"
#include "core/names.h"
#include "report/document.h"

namespace simmim {

const std::vector<std::string>& frame_formats() {
  static const std::vector<std::string> formats = {"table", "json", "jsonl", "csv", "tsv", "markdown", "latex", "html"};
  return formats;
}

std::string output_format(const std::string& asked, const std::string& file, const CommonOptions& common,
                          const std::vector<std::string>& known) {
  const bool plain = asked == "text" || asked == "table";
  return choose_format(plain                          ? known.front()
                       : asked.empty() && common.json ? "json"
                                                      : asked,
                       file, known, known.front());
}

void write_output(const std::string& file, const std::string& text) {
  if (file.empty())
    std::fwrite(text.data(), 1, text.size(), stdout);
  else
    write_file_atomically(file, text);
}

std::string output_file(const std::string& given, const std::string& otherwise,
                        const std::vector<std::string>& suffixes) {
  if (given.empty()) return otherwise;
  std::error_code ignored;
  const fs::path path = given;
  if (given == "-" || (fs::exists(path, ignored) && !fs::is_regular_file(path, ignored))) return given;
  if (std::find(suffixes.begin(), suffixes.end(), path.extension().string()) != suffixes.end()) return given;
  fail(Code::usage, "-o: '{}' has no suffix that says its format; allowed: {}", given, one_of(suffixes));
}

}  // namespace simmim
