// An engine's answer on standard output: one JSON document with --json, else readable lines.
#pragma once
#include "core/json.h"

namespace simmim {

// Numbers short, nested objects indented, lists of objects as a table, lists of numbers on one line.
std::string document_text(const Json& document);
void print_document(const Json& document, bool json);

// Columns that line up; numbers to the right. The first row is the heading.
std::string columns_text(const std::vector<std::vector<std::string>>& rows);

}  // namespace simmim
