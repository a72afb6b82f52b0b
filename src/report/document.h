// Tables of text and how they are written: for a terminal, Markdown, LaTeX (booktabs), HTML, CSV, JSON.
#pragma once
#include <string>
#include <vector>

#include "runs/frame.h"

namespace simmim {

struct DocumentCell {
  std::string text;
  bool bold = false;  // a star on a terminal
};

struct TextTable {
  std::string caption;  // may be empty
  std::vector<std::string> header;
  std::vector<std::vector<DocumentCell>> rows;  // as wide as the header
  std::vector<bool> right;                      // columns set flush right; missing: flush left
};

struct Document {
  std::string title;
  std::vector<TextTable> tables;
  std::vector<std::string> notes;
  std::string bold_means;  // what a star says, for a terminal
};

// format: text, markdown, latex or html (one self-contained page).
std::string render_document(const Document& document, const std::string& format);

std::string html_tables(const Document& document);  // its tables and notes as a part of a page

// format: table, csv, tsv, json (a list of objects), jsonl (one object a line), markdown, latex or html. csv to jsonl
// give every digit, the others about six.
std::string render_frame(const Frame& frame, const std::string& format);

// The format asked for, else the one the suffix of `file` names, else `otherwise`. Code::usage with the list if it is
// none of `allowed`.
std::string choose_format(const std::string& asked, const std::string& file, const std::vector<std::string>& allowed,
                          const std::string& otherwise);

std::string signed_text(double value, int digits);  // "−0.42", "+1.00"; "0.00" of what rounds to it

std::string csv_line(const std::vector<std::string>& cells,
                     char separator = ',');  // quoted where needed, with its end of line

}  // namespace simmim
