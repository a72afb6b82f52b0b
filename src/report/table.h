// The comparison table of a sweep: mean ± std over seeds, differences to a baseline with intervals and corrected p,
// the paper's values where they may stand beside ours.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "report/by_image.h"
#include "report/document.h"

namespace simmim {

// What the sweep's file says under "table", overridden by the command line. Keys are axes of the sweep or leaves of
// the configuration.
struct TableOptions {
  std::string rows, columns;        // empty: the file's, else the first and the second axis
  std::vector<std::string> groups;  // one block a value; the axes left over are added
  std::vector<std::string> values;  // "finetune.val.top1", "top1", "pretrain.val.loss", "finetune.seconds", any curve
  std::string where;                // EXPR over axes and leaves
  std::string split;                // val or test; empty: as the value says
  std::vector<std::string> show;    // more columns of `results` beside the value (gpu_hours), "n" and "paper"
  Json baseline;                    // {"mask.patch": 8, ...} or a cell's name; null: the file's
  fs::path out;                     // where the runs lie, for the test by image of two cells; empty: none
};

// The paper beside a cell.
struct PaperBeside {
  double value = 0, difference = 0;  // percent; to the paper's own default cell
  bool verified = false;
  bool comparable = false;  // data, encoder, sizes and epochs are the paper's: the value itself may be shown
  std::string verdict;      // "same sign", "other sign", "no difference shown"; empty: we have no difference to compare
  std::string cell;         // the paper's, "mask.patch=32 ..."
};

struct TableEntry {
  std::string cell, row, column, group;  // labels; row and column are empty where the cell lacks the axis
  Json values;                           // axis -> value
  std::map<int64_t, double> by_seed;     // finished seeds
  int64_t planned = 0, failed = 0;       // seeds
  double mean = 0, deviation = 0;        // NaN where there is none
  bool complete = false;                 // every planned seed is there
  bool best = false, baseline = false;
  bool near_best = false;                // complete, and not shown to differ from the best cell
  bool chosen = false;                   // best on the validation split, in a table of test results
  bool other_budget = false;             // other images seen or steps than most cells
  bool tuned_edge = false;               // a tuned value is the smallest or largest that was tried
  std::optional<Difference> difference;  // to the baseline
  double corrected_p = 1;
  bool shown = false;  // the corrected p is below 0.05
  std::optional<PaperBeside> paper;
  std::map<std::string, double> extras;  // of `show`, means over seeds
};

struct ValueTable {
  // As asked; "finetune"; the column of `results`, "val_top1", or a curve that is none, "val.perplexity": its last
  // value.
  std::string value, stage, metric;
  bool larger_is_better = true;
  std::vector<std::string> rows, columns, groups;  // labels in order of first appearance
  std::vector<TableEntry> entries;                 // in the plan's order
  std::string baseline;                            // the cell's name, empty: none
  std::string test;                                // "additive model ...", "paired t-test", empty: no test
  double df = 0, smallest_difference = 0;
  std::optional<ImageComparison> by_image;  // of a table of two cells
  std::vector<std::string> notes;
};

struct ComparisonTable {
  std::string sweep, about, row_key, column_key;
  std::vector<std::string> group_keys, show;
  std::vector<ValueTable> values;
};

// The question that a sweep's "about" opens with; the rest of it (cost, expectation) is no caption.
std::string first_sentence(const std::string& about);

// Code::usage for an unknown sweep, axis, value or baseline.
ComparisonTable make_table(const Sqlite& database, const std::string& sweep, const TableOptions& options);

// format: text, markdown, latex, csv, json or html.
std::string render_table(const ComparisonTable& table, const std::string& format);
Document table_document(const ComparisonTable& table);

}  // namespace simmim
