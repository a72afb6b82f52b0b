// A table of the paper beside ours, as a document and as rows.
#include <cmath>

#include "core/names.h"
#include "report/paper_table.h"
#include "report/statistics.h"

namespace simmim {
namespace {

std::string measure_text(const std::string& metric, double value) {
  return metric == "parameters" ? fmt::format("{:.1f}M", value / 1e6)
         : metric == "cost"     ? fmt::format("{:.1f}×", value)
                                : fmt::format("{:.4g}", value);
}

std::string paper_number(const PaperValue& value, const std::string& text) {
  return text + (value.verified ? "" : "?");
}

struct Ours {
  double mean = NAN, deviation = NAN, difference = NAN;
};
Ours ours_of(const PaperRow& row) {
  std::vector<double> values;
  for (const auto& [seed, value] : row.by_seed) values.push_back(value);
  return {mean(values), standard_deviation(values), mean(values) - row.paper->value};
}

Frame paper_frame(const PaperComparison& comparison) {
  Frame frame{{"table", "cell", "stage", "paper", "verified", "source", "ours", "std", "n", "difference", "runs"}, {}};
  std::vector<std::string> metrics;
  for (const char* metric : {"parameters", "cost", "avg_dist"})
    if (has_measure(comparison, metric)) metrics.push_back(metric);
  for (const std::string& metric : metrics)
    for (const char* suffix : {"", "_verified", "_ours"}) frame.columns.push_back(metric + suffix);
  frame.columns.insert(frame.columns.end(), comparison.sweeps.begin(), comparison.sweeps.end());
  frame.columns.push_back("command");
  const auto number = [](double value) { return std::isnan(value) ? Value() : Value(value); };
  for (const PaperRow& row : comparison.rows) {
    const Ours ours = ours_of(row);
    auto& cells = frame.rows.emplace_back();
    cells = {comparison.table->name,
             row.paper->cell,
             row.paper->stage,
             row.paper->value,
             int64_t{row.paper->verified},
             row.paper->source,
             number(ours.mean),
             number(ours.deviation),
             static_cast<int64_t>(row.by_seed.size()),
             number(ours.difference),
             join(row.runs, " ")};
    for (const std::string& metric : metrics) {
      const auto it = row.measures.find(metric);
      if (it == row.measures.end()) {
        cells.insert(cells.end(), 3, Value());
        continue;
      }
      const PaperMeasure& measure = it->second;
      cells.insert(cells.end(), {measure.paper->value, int64_t{measure.paper->verified},
                                 measure.ours ? Value(*measure.ours) : Value()});
    }
    for (const std::string& sweep : comparison.sweeps)
      cells.push_back(row.elsewhere.contains(sweep) ? Value(row.elsewhere.at(sweep)) : Value());
    cells.push_back(row.command.empty() ? Value() : Value(row.command));
  }
  return frame;
}

}  // namespace

Document paper_document(const PaperComparison& comparison) {
  const PaperTable& table = *comparison.table;
  TextTable part;
  const auto add_column = [&](const std::string& title, bool right) {
    part.header.push_back(title), part.right.push_back(right);
  };
  for (const std::string& axis : table.axes) add_column(axis, false);
  add_column("paper", true);
  if (!comparison.sweeps.empty()) add_column("to its default", true);
  for (const std::string& sweep : comparison.sweeps) add_column(sweep, true);
  const std::vector<std::pair<std::string, std::string>> measures{
      {"parameters", "parameters"}, {"cost", "cost"}, {"avg_dist", "AvgDist (simulated)"}};
  for (const auto& [metric, title] : measures)
    if (has_measure(comparison, metric)) {
      add_column(title, true);
      if (metric != "avg_dist") add_column("our " + metric, true);
    }
  add_column("difference", true);
  add_column("ours", false);

  for (const PaperRow& row : comparison.rows) {
    auto& cells = part.rows.emplace_back();
    const auto add = [&](const std::string& text) { cells.push_back({text, false}); };
    for (const std::string& label : row.labels) add(label);
    add(paper_number(*row.paper, fmt::format("{:.1f}", row.paper->value)));
    const PaperValue* standard = find_paper_value(table, table.default_values, row.paper->stage);
    if (!comparison.sweeps.empty())
      add(standard == nullptr     ? ""
          : standard == row.paper ? "default"
                                  : signed_text(row.paper->value - standard->value, 1) +
                                        (row.paper->verified && standard->verified ? "" : "?"));
    for (const std::string& sweep : comparison.sweeps)
      add(row.elsewhere.contains(sweep) ? row.elsewhere.at(sweep) : "");
    for (const auto& [metric, title] : measures) {
      if (!has_measure(comparison, metric)) continue;
      const auto it = row.measures.find(metric);
      const bool known = it != row.measures.end();
      add(!known                 ? ""
          : metric == "avg_dist" ? measure_text(metric, it->second.paper->value)
                                 : paper_number(*it->second.paper, measure_text(metric, it->second.paper->value)));
      if (metric != "avg_dist") add(known && it->second.ours ? measure_text(metric, *it->second.ours) : "");
    }
    const Ours ours = ours_of(row);
    add(std::isnan(ours.mean) ? "" : signed_text(ours.difference, 2));
    add(!std::isnan(ours.mean) ? fmt::format("{:.2f}{} ({})", ours.mean,
                                             std::isnan(ours.deviation) ? "" : fmt::format(" ± {:.2f}", ours.deviation),
                                             row.by_seed.size())
                               : row.command);
  }
  return {
      fmt::format("{}: {} (ImageNet-1K top-1, %)", table.name, table.title), {std::move(part)}, comparison.notes, ""};
}

std::string render_paper(const PaperComparison& comparison, const std::string& format) {
  if (format == "csv" || format == "json") return render_frame(paper_frame(comparison), format);
  return render_document(paper_document(comparison), format);
}

}  // namespace simmim
