// A table of the paper beside ours: each published cell with the finished runs that were made under its conditions, and
// what the sweeps that ask the same question elsewhere (their file says "paper") found.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "report/document.h"
#include "runs/paper.h"

namespace simmim {

// What stands beside one number of the paper.
struct PaperMeasure {
  const PaperValue* paper = nullptr;
  std::optional<double> ours;  // the mean over seeds
};

// A cell of the paper.
struct PaperRow {
  const PaperValue* paper = nullptr;  // its top-1
  std::vector<std::string> labels;    // one an axis of the table; empty where the cell lacks it
  std::map<int64_t, double> by_seed;  // ours under the paper's conditions: seed -> top-1 of the test set, percent
  std::vector<std::string> runs;      // that these come from
  std::map<std::string, PaperMeasure> measures;  // "parameters", "cost", "avg_dist"
  std::map<std::string, std::string> elsewhere;  // sweep -> "−0.4, same sign"
  std::string command;                           // fills the cell; empty: no sweep of ours has it
};

struct PaperComparison {
  const PaperTable* table = nullptr;
  std::vector<PaperRow> rows;
  std::vector<std::string> sweeps, notes;  // sweeps: those in `elsewhere`
};

// Code::usage for a name that is no table of the paper.
PaperComparison compare_with_paper(const Sqlite& database, const std::string& name);

bool has_measure(const PaperComparison& comparison, const std::string& metric);  // in any row

// format: text, markdown, latex, html, csv or json.
std::string render_paper(const PaperComparison& comparison, const std::string& format);
Document paper_document(const PaperComparison& comparison);

}  // namespace simmim
