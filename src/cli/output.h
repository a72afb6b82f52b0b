// Where results go: standard output, or the file of -o.
#pragma once
#include <string>
#include <vector>

#include "cli/args.h"

namespace simmim {

const std::vector<std::string>& frame_formats();  // table, json, jsonl, csv, tsv, markdown, latex, html

// --format, else --json, else the suffix of -o, else the first of `known`. "text" and "table" are the same.
std::string output_format(const std::string& asked, const std::string& file, const CommonOptions& common,
                          const std::vector<std::string>& known);

void write_output(const std::string& file, const std::string& text);  // "" is standard output

// A file to write, "" being `otherwise`. Code::usage if its suffix is none of `suffixes`; a pipe or a device needs
// none.
std::string output_file(const std::string& given, const std::string& otherwise,
                        const std::vector<std::string>& suffixes);

}  // namespace simmim
