// What is marked in a table: other budgets, the best cell, differences to the baseline, the paper beside, foot notes.
// `cells[i]` is the cell of `table.entries[i]`.
#pragma once
#include "report/table.h"
#include "report/table_data.h"

namespace simmim {

double number_at(const SweepRun& run, const std::string& column);  // NaN if the run has none

// Seed -> value of its finished runs of a stage; several runs of one seed are averaged. `counts` (may be null) is given
// the seeds planned and failed.
std::map<int64_t, double> values_by_seed(const SweepCell& cell, const std::string& stage, const std::string& column,
                                         TableEntry* counts);
std::vector<double> values_of(const std::map<int64_t, double>& by_seed);

bool losses_comparable(const ValueTable& table, const std::vector<const SweepCell*>& cells);

void mark_other_budgets(ValueTable& table, const std::vector<const SweepCell*>& cells);
void mark_tuned_edges(ValueTable& table, const std::vector<const SweepCell*>& cells, const TunedKeys& tuned);
void mark_best(ValueTable& table, const std::vector<const SweepCell*>& cells);

// For each entry the place of the entry it is compared with (of its own group, else the only one there is); -1: none.
// Code::usage if `wanted` fits no cell of the sweep.
std::vector<int> find_baselines(ValueTable& table, const std::vector<const SweepCell*>& cells, const SweepData& data,
                                const Json& wanted);
void compare_with_baselines(ValueTable& table, const std::vector<int>& baselines);
void set_beside_paper(ValueTable& table, const std::vector<const SweepCell*>& cells, const SweepData& data,
                      const std::vector<int>& baselines);
// What a cell's difference to its baseline says of the paper's difference that stands beside it; "" without one of
// ours.
std::string paper_verdict(const TableEntry& entry, double theirs);
// A table of two cells that both have stored predictions (`out`: where the runs lie): second minus first, by image.
void compare_images(ValueTable& table, const std::vector<const SweepCell*>& cells, const fs::path& out);
void add_notes(ValueTable& table, const std::vector<const SweepCell*>& cells);

}  // namespace simmim
