// The comparison table as a document (text, Markdown, LaTeX, HTML), as CSV and as JSON.
#include <algorithm>
#include <cmath>

#include "core/names.h"
#include "report/table.h"

namespace simmim {
namespace {

bool is_top(const ValueTable& table) { return table.metric.find("top") != std::string::npos; }

std::string number(const ValueTable& table, double value, bool sign = false) {
  if (std::isnan(value)) return "–";
  const std::string text = is_top(table)                        ? fmt::format("{:.2f}", std::abs(value))
                           : table.metric.ends_with("accuracy") ? fmt::format("{:.2f}", std::abs(value))
                           : table.metric.ends_with("loss")     ? fmt::format("{:.4f}", std::abs(value))
                                                                : fmt::format("{:.4g}", std::abs(value));
  const bool zero = text.find_first_not_of("0.") == std::string::npos;
  return (value < 0 && !zero ? "−" : sign && !zero ? "+" : "") + text;
}

// "81.00 ± 1.41 (3)", "80.10 (2/3)", "– (0/2)".
std::string value_text(const ValueTable& table, const TableEntry& entry) {
  std::string text = number(table, entry.mean);
  if (!std::isnan(entry.deviation)) text += " ± " + number(table, entry.deviation);
  text += entry.complete ? fmt::format(" ({})", entry.by_seed.size())
                         : fmt::format(" ({}/{})", entry.by_seed.size(), entry.planned);
  return text + (entry.near_best ? " ≈" : "") + (entry.chosen ? " ◆" : "") + (entry.other_budget ? " ≠ budget" : "") +
         (entry.tuned_edge ? " at edge" : "");
}

std::string p_text(double p) { return p < 0.001 ? "< 0.001" : fmt::format("{:.3f}", p); }

std::string paper_text(const PaperBeside& paper) {
  const std::string mark = paper.verified ? "" : "?";
  if (paper.comparable) return fmt::format("{:.1f}{}", paper.value, mark);
  return signed_text(paper.difference, 1) + mark + (paper.verdict.empty() ? "" : ", " + paper.verdict);
}

// Of GPU hours none at all means that it ran on something else.
std::string extra_text(const std::string& column, double value) {
  return std::isnan(value) || (value == 0 && column.ends_with("gpu_hours")) ? "–" : fmt::format("{:.4g}", value);
}

std::string metric_title(const ValueTable& table) {
  std::string metric = table.metric;
  if (const auto bar = metric.find('_');
      bar != std::string::npos &&
      (metric.starts_with("val") || metric.starts_with("test") || metric.starts_with("train")))
    metric[bar] = ' ';
  return table.stage + " " + metric + (is_top(table) ? " (%)" : "");
}

const TableEntry* entry_at(const ValueTable& table, const std::string& group, const std::string& row,
                           const std::string& column) {
  for (const TableEntry& entry : table.entries)
    if (entry.group == group && entry.row == row && entry.column == column) return &entry;
  return nullptr;
}

bool in_grid(const ComparisonTable& whole, const TableEntry& entry) {
  return (whole.row_key.empty() || !entry.row.empty()) && (whole.column_key.empty() || !entry.column.empty());
}

// One block: rows x columns of one group.
TextTable grid_part(const ComparisonTable& whole, const ValueTable& table, const std::string& group) {
  TextTable part;
  part.caption = metric_title(table) + (group.empty() ? "" : ", " + group);
  const bool has_columns = !whole.column_key.empty();
  part.header.push_back(has_columns             ? whole.row_key + " \\ " + whole.column_key
                        : whole.row_key.empty() ? "cell"
                                                : whole.row_key);
  part.right.push_back(false);
  for (const std::string& column : table.columns) {
    part.header.push_back(has_columns ? column : "mean ± std (n)");
    part.right.push_back(true);
  }
  for (const std::string& row : table.rows) {
    std::vector<DocumentCell> cells{{row.empty() ? "all" : row, false}};
    bool any = false;
    for (const std::string& column : table.columns) {
      const TableEntry* entry = entry_at(table, group, row, column);
      any = any || entry != nullptr;
      cells.push_back(entry == nullptr ? DocumentCell{} : DocumentCell{value_text(table, *entry), entry->best});
    }
    if (any) part.rows.push_back(std::move(cells));
  }
  return part;
}

// Cells that lack an axis of the grid, such as training from scratch: one line each.
TextTable loose_part(const ComparisonTable& whole, const ValueTable& table) {
  TextTable part{table.rows.empty() ? metric_title(table) : "", {"cell", "mean ± std (n)"}, {}, {false, true}};
  for (const TableEntry& entry : table.entries)
    if (!in_grid(whole, entry)) part.rows.push_back({{entry.cell, false}, {value_text(table, entry), entry.best}});
  return part;
}

// Cell by cell: the difference to the baseline, the paper, and what --show asks for.
TextTable details_part(const ComparisonTable& whole, const ValueTable& table) {
  const bool differences = !table.test.empty();
  bool paper = false, comparable = true;
  for (const TableEntry& entry : table.entries)
    if (entry.paper) paper = true, comparable = comparable && entry.paper->comparable;
  TextTable part{differences ? "difference from " + table.baseline : "", {"cell"}, {}, {false}};
  const auto add_column = [&](const std::string& name) { part.header.push_back(name), part.right.push_back(true); };
  if (differences)
    for (const char* name : {"difference", "95 % interval", "p (Holm)", ""}) add_column(name);
  if (differences) part.right.back() = false;
  if (paper) add_column(comparable ? "paper" : "paper's difference");
  for (const std::string& column : whole.show)
    if (column != "n" && column != "paper") add_column(column);
  if (part.header.size() == 1) return part;
  for (const TableEntry& entry : table.entries) {
    std::vector<DocumentCell> row{{entry.cell, false}};
    if (differences && entry.difference) {
      row.push_back({number(table, entry.difference->value, true), false});
      row.push_back({fmt::format("[{}, {}]", number(table, entry.difference->low, true),
                                 number(table, entry.difference->high, true)),
                     false});
      row.push_back({p_text(entry.corrected_p), false});
      row.push_back({entry.shown ? "shown" : "no difference shown", false});
    } else if (differences) {
      row.insert(row.end(), {{},
                             {},
                             {},
                             {entry.baseline   ? "baseline"
                              : entry.complete ? ""
                                               : "incomplete, not tested",
                              false}});
    }
    if (paper) row.push_back({entry.paper ? paper_text(*entry.paper) : "", false});
    for (const std::string& column : whole.show)
      if (column != "n" && column != "paper") row.push_back({extra_text(column, entry.extras.at(column)), false});
    part.rows.push_back(std::move(row));
  }
  return part;
}

Json number_json(double value) { return std::isfinite(value) ? Json(value) : Json(); }

// The flat facts of a cell, for CSV and JSON alike.
Json entry_json(const ValueTable& table, const TableEntry& entry) {
  Json row = {{"value", table.value},
              {"stage", table.stage},
              {"metric", table.metric},
              {"cell", entry.cell},
              {"group", entry.group},
              {"row", entry.row},
              {"column", entry.column},
              {"mean", number_json(entry.mean)},
              {"std", number_json(entry.deviation)},
              {"n", entry.by_seed.size()},
              {"planned", entry.planned},
              {"failed", entry.failed},
              {"best", entry.best},
              {"near_best", entry.near_best},
              {"chosen_on_val", entry.chosen},
              {"baseline", entry.baseline},
              {"other_budget", entry.other_budget},
              {"tuned_edge", entry.tuned_edge}};
  const auto& d = entry.difference;
  row["difference"] = d ? number_json(d->value) : Json();
  row["low"] = d ? number_json(d->low) : Json();
  row["high"] = d ? number_json(d->high) : Json();
  row["p"] = d ? number_json(d->p) : Json();
  row["p_corrected"] = d ? Json(entry.corrected_p) : Json();
  row["shown"] = d ? Json(entry.shown) : Json();
  const auto& paper = entry.paper;
  row["paper"] = paper && paper->comparable ? Json(paper->value) : Json();
  row["paper_difference"] = paper ? Json(paper->difference) : Json();
  row["paper_verified"] = paper ? Json(paper->verified) : Json();
  row["paper_verdict"] = paper ? Json(paper->verdict) : Json();
  for (const auto& [name, value] : entry.extras) row[name] = number_json(value);
  return row;
}

std::string csv_table(const ComparisonTable& whole) {
  std::string out;
  for (const ValueTable& table : whole.values)
    for (const TableEntry& entry : table.entries) {
      std::vector<std::string> names, cells;
      const Json facts = entry_json(table, entry);
      for (const auto& [name, value] : facts.items()) names.push_back(name), cells.push_back(text_of(to_value(value)));
      out += (out.empty() ? csv_line(names) : "") + csv_line(cells);
    }
  return out;
}

std::string json_table(const ComparisonTable& whole) {
  Json document = {{"sweep", whole.sweep},        {"about", whole.about},       {"rows", whole.row_key},
                   {"columns", whole.column_key}, {"groups", whole.group_keys}, {"tables", Json::array()}};
  for (const ValueTable& table : whole.values) {
    Json entries = Json::array();
    for (const TableEntry& entry : table.entries) {
      Json row = entry_json(table, entry);
      row["values"] = entry.values;
      row["by_seed"] = Json::object();
      for (const auto& [seed, value] : entry.by_seed) row["by_seed"][std::to_string(seed)] = value;
      entries.push_back(std::move(row));
    }
    Json by_image;
    if (const auto& found = table.by_image)
      by_image = {{"images", found->images},          {"difference", found->difference.value},
                  {"low", found->difference.low},     {"high", found->difference.high},
                  {"p", found->difference.p},         {"only_first", found->only_first},
                  {"only_second", found->only_second}};
    document["tables"].push_back({{"value", table.value},
                                  {"stage", table.stage},
                                  {"metric", table.metric},
                                  {"larger_is_better", table.larger_is_better},
                                  {"baseline", table.baseline},
                                  {"test", table.test},
                                  {"degrees_of_freedom", table.df},
                                  {"smallest_difference", table.smallest_difference},
                                  {"by_image", by_image},
                                  {"notes", table.notes},
                                  {"cells", entries}});
  }
  return document.dump(1) + "\n";
}

}  // namespace

Document table_document(const ComparisonTable& whole) {
  Document document;
  document.title = whole.sweep + (whole.about.empty() ? "" : ": " + first_sentence(whole.about));
  for (const ValueTable& table : whole.values) {
    for (const TableEntry& entry : table.entries)
      if (entry.best) document.bold_means = "the best of the complete cells";
    for (const std::string& group : table.groups) document.tables.push_back(grid_part(whole, table, group));
    if (TextTable part = loose_part(whole, table); !part.rows.empty()) document.tables.push_back(std::move(part));
    if (TextTable part = details_part(whole, table); part.header.size() > 1) document.tables.push_back(std::move(part));
    for (const std::string& note : table.notes)
      if (std::find(document.notes.begin(), document.notes.end(), note) == document.notes.end())
        document.notes.push_back(note);
    if (table.entries.empty()) document.notes.push_back("no cell to show for " + table.value);
  }
  return document;
}

std::string render_table(const ComparisonTable& table, const std::string& format) {
  if (format == "csv") return csv_table(table);
  if (format == "json") return json_table(table);
  return render_document(table_document(table), format);
}

}  // namespace simmim
