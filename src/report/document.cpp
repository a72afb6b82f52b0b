#include "report/document.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "core/files.h"
#include "core/names.h"
#include "report/page.h"

namespace simmim {
namespace {

// Characters, not bytes: continuation bytes of UTF-8 take no place.
size_t width_of(const std::string& text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](unsigned char c) { return (c & 0xc0) != 0x80; }));
}

std::string padded(const std::string& text, size_t width, bool right) {
  const std::string space(width - std::min(width, width_of(text)), ' ');
  return right ? space + text : text + space;
}

std::string trimmed_right(std::string text) { return text.substr(0, text.find_last_not_of(' ') + 1); }

bool is_right(const TextTable& table, size_t column) { return column < table.right.size() && table.right[column]; }

std::string replace_all(const std::string& text, const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    const auto hit = std::find_if(pairs.begin(), pairs.end(), [&](const auto& pair) {
      return text.compare(i, pair.first.size(), pair.first) == 0;
    });
    if (hit == pairs.end())
      out += text[i++];
    else
      out += hit->second, i += hit->first.size();
  }
  return out;
}

std::string for_markdown(const std::string& text) {
  return replace_all(text, {{"|", "\\|"}, {"*", "\\*"}, {"\n", " "}});
}
std::string for_latex(const std::string& text) {
  return replace_all(text, {{"\\", "\\textbackslash{}"},
                            {"&", "\\&"},
                            {"%", "\\%"},
                            {"$", "\\$"},
                            {"#", "\\#"},
                            {"_", "\\_"},
                            {"{", "\\{"},
                            {"}", "\\}"},
                            {"~", "\\textasciitilde{}"},
                            {"^", "\\textasciicircum{}"},
                            {"±", "$\\pm$"},
                            {"≠", "$\\neq$"},
                            {"≈", "$\\approx$"},
                            {"−", "$-$"},
                            {"×", "$\\times$"},
                            {"–", "--"},
                            {"≥", "$\\geq$"},
                            {"◆", "$\\diamond$"},
                            {"<", "$<$"},
                            {">", "$>$"}});
}

std::string text_table(const TextTable& table, bool markdown) {
  const auto shown = [&](const DocumentCell& cell) {
    if (!markdown) return cell.bold ? cell.text + " *" : cell.text;
    return cell.bold ? "**" + for_markdown(cell.text) + "**" : for_markdown(cell.text);
  };
  std::vector<size_t> widths;
  for (size_t c = 0; c < table.header.size(); ++c) {
    widths.push_back(std::max<size_t>(width_of(table.header[c]), markdown ? 3 : 0));
    for (const auto& row : table.rows) widths[c] = std::max(widths[c], width_of(shown(row[c])));
  }
  std::string out;
  const auto add_line = [&](const std::function<std::string(size_t)>& cell) {
    std::string line = markdown ? "|" : "";
    for (size_t c = 0; c < widths.size(); ++c)
      line += markdown ? " " + padded(cell(c), widths[c], is_right(table, c)) + " |"
                       : (c > 0 ? "  " : "") + padded(cell(c), widths[c], is_right(table, c));
    out += trimmed_right(line) + "\n";
  };
  add_line([&](size_t c) { return markdown ? for_markdown(table.header[c]) : table.header[c]; });
  if (markdown) {
    out += "|";
    for (size_t c = 0; c < widths.size(); ++c)
      out += std::string(widths[c] + 1, '-') + (is_right(table, c) ? ":|" : "-|");
    out += "\n";
  } else {
    std::string line;
    for (size_t c = 0; c < widths.size(); ++c) {
      line += c > 0 ? "  " : "";
      for (size_t i = 0; i < widths[c]; ++i) line += "─";
    }
    out += line + "\n";
  }
  for (const auto& row : table.rows) add_line([&](size_t c) { return shown(row[c]); });
  return out;
}

std::string text_document(const Document& document, bool markdown) {
  std::string out;
  const auto add = [&](const std::string& part) { out += (out.empty() ? "" : "\n") + part; };
  if (!document.title.empty()) add((markdown ? "### " + for_markdown(document.title) : document.title) + "\n");
  for (const TextTable& table : document.tables) {
    const std::string caption = markdown ? "**" + for_markdown(table.caption) + "**\n" : table.caption;
    add((table.caption.empty() ? "" : caption + "\n") + text_table(table, markdown));
  }
  const bool starred = !markdown && !document.bold_means.empty();
  if (!document.notes.empty() || starred) {
    std::string notes = starred ? "* " + document.bold_means + "\n" : "";
    for (const std::string& note : document.notes) notes += markdown ? "- " + for_markdown(note) + "\n" : note + "\n";
    add(notes);
  }
  return out;
}

std::string latex_document(const Document& document) {
  std::string out = (document.title.empty() ? "" : "% " + document.title + "\n") + "% \\usepackage{booktabs}\n";
  for (const TextTable& table : document.tables) {
    out += "\\begin{table}\n\\centering\n";
    if (!table.caption.empty()) out += "\\caption{" + for_latex(table.caption) + "}\n";
    std::string columns;
    for (size_t c = 0; c < table.header.size(); ++c) columns += is_right(table, c) ? 'r' : 'l';
    out += "\\begin{tabular}{" + columns + "}\n\\toprule\n";
    const auto add_line = [&](const std::function<std::string(size_t)>& cell) {
      for (size_t c = 0; c < table.header.size(); ++c) out += (c > 0 ? " & " : "") + cell(c);
      out += " \\\\\n";
    };
    add_line([&](size_t c) { return for_latex(table.header[c]); });
    out += "\\midrule\n";
    for (const auto& row : table.rows)
      add_line(
          [&](size_t c) { return row[c].bold ? "\\textbf{" + for_latex(row[c].text) + "}" : for_latex(row[c].text); });
    out += "\\bottomrule\n\\end{tabular}\n";
    if (&table == &document.tables.back())
      for (const std::string& note : document.notes)
        out += "\\par\\smallskip{\\footnotesize " + for_latex(note) + "}\n";
    out += "\\end{table}\n";
  }
  return out;
}

std::string html_document(const Document& document) {
  return html_page(document.title, "<h1>" + html_text(document.title) + "</h1>\n" + html_tables(document));
}

std::string short_number(const Value& value) {
  const auto* real = std::get_if<double>(&value);
  if (real == nullptr) return text_of(value);
  return std::abs(*real) >= 1e6 ? number_text(std::round(*real)) : fmt::format("{:.6g}", *real);
}

Document frame_document(const Frame& frame) {
  TextTable table{"", frame.columns, {}, std::vector<bool>(frame.columns.size(), true)};
  for (const auto& row : frame.rows) {
    auto& cells = table.rows.emplace_back();
    for (size_t c = 0; c < row.size(); ++c) {
      cells.push_back({short_number(row[c]), false});
      if (std::holds_alternative<std::string>(row[c])) table.right[c] = false;
    }
  }
  return {"", {std::move(table)}, {}, ""};
}

Json row_object(const Frame& frame, const std::vector<Value>& row) {
  Json object = Json::object();
  for (size_t c = 0; c < row.size(); ++c) object[frame.columns[c]] = to_json(row[c]);
  return object;
}

}  // namespace

std::string html_tables(const Document& document) {
  std::string out;
  for (const TextTable& table : document.tables) {
    out += "<div class=\"scroll\"><table>";
    if (!table.caption.empty()) out += "<caption>" + html_text(table.caption) + "</caption>";
    const auto add_line = [&](const char* tag, const std::function<std::string(size_t)>& cell) {
      out += "<tr>";
      for (size_t c = 0; c < table.header.size(); ++c)
        out += fmt::format("<{0}{1}>{2}</{0}>", tag, is_right(table, c) ? " class=\"r\"" : "", cell(c));
      out += "</tr>\n";
    };
    add_line("th", [&](size_t c) { return html_text(table.header[c]); });
    for (const auto& row : table.rows)
      add_line("td", [&](size_t c) {
        return row[c].bold ? "<b>" + html_text(row[c].text) + "</b>" : html_text(row[c].text);
      });
    out += "</table></div>\n";
  }
  if (!document.notes.empty()) {
    out += "<ul>";
    for (const std::string& note : document.notes) out += "<li>" + html_text(note) + "</li>\n";
    out += "</ul>\n";
  }
  return out;
}

std::string signed_text(double value, int digits) {
  const std::string size = fmt::format("{:.{}f}", std::abs(value), digits);
  return (size.find_first_not_of("0.") == std::string::npos ? "" : value < 0 ? "−" : "+") + size;
}

std::string csv_line(const std::vector<std::string>& cells, char separator) {
  std::string line;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) line += separator;
    if (separator == '\t')
      line += replace_all(cells[i], {{"\t", " "}, {"\n", " "}});
    else if (cells[i].find_first_of(",\"\n\r") == std::string::npos)
      line += cells[i];
    else
      line += '"' + replace_all(cells[i], {{"\"", "\"\""}}) + '"';
  }
  return line + "\n";
}

std::string render_document(const Document& document, const std::string& format) {
  if (format == "latex") return latex_document(document);
  if (format == "html") return html_document(document);
  return text_document(document, format == "markdown");
}

std::string render_frame(const Frame& frame, const std::string& format) {
  std::string out;
  if (format == "csv" || format == "tsv") {
    const char separator = format == "csv" ? ',' : '\t';
    out = csv_line(frame.columns, separator);
    for (const auto& row : frame.rows) {
      std::vector<std::string> cells(row.size());
      std::transform(row.begin(), row.end(), cells.begin(), text_of);
      out += csv_line(cells, separator);
    }
    return out;
  }
  if (format == "jsonl") {
    for (const auto& row : frame.rows) out += row_object(frame, row).dump() + "\n";
    return out;
  }
  if (format == "json") {
    Json rows = Json::array();
    for (const auto& row : frame.rows) rows.push_back(row_object(frame, row));
    return rows.dump(1) + "\n";
  }
  return render_document(frame_document(frame), format);
}

std::string choose_format(const std::string& asked, const std::string& file, const std::vector<std::string>& allowed,
                          const std::string& otherwise) {
  static const std::vector<std::pair<std::string, std::string>> kSuffixes{
      {".md", "markdown"}, {".tex", "latex"}, {".txt", "text"}, {".htm", "html"},
      {".html", "html"},   {".csv", "csv"},   {".tsv", "tsv"},  {".json", "json"},
      {".jsonl", "jsonl"}, {".png", "png"},   {".svg", "svg"},  {".pdf", "pdf"}};
  std::string format = asked;
  if (format.empty())
    for (const auto& [suffix, name] : kSuffixes)
      if (file.ends_with(suffix) && std::find(allowed.begin(), allowed.end(), name) != allowed.end()) format = name;
  std::error_code ignored;
  const bool device = fs::exists(file, ignored) && !fs::is_regular_file(file, ignored);  // a pipe, /dev/null
  if (const std::string suffix = fs::path(file).extension(); format.empty() && !suffix.empty() && !device)
    fail(Code::usage, "-o {}: '{}' names no format; give --format {}, or a suffix of theirs", file, suffix,
         one_of(allowed));
  if (format.empty()) format = otherwise;
  if (std::find(allowed.begin(), allowed.end(), format) == allowed.end())
    fail(Code::usage, "--format {}: unknown{}", format, unknown_name_hint(format, allowed));
  return format;
}

}  // namespace simmim
