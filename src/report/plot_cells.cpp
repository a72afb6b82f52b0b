#include "report/plot_cells.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/names.h"
#include "report/avg_dist.h"
#include "report/table_data.h"
#include "report/table_marks.h"

namespace simmim {
namespace {

// The best place of numbers that are labels too: in order of their value.
void sort_numeric(std::vector<std::string>& labels) {
  const auto number = [](const std::string& text) {
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    return *end == '\0' && !text.empty() ? value : std::nan("");
  };
  if (std::none_of(labels.begin(), labels.end(), [&](const auto& label) { return std::isnan(number(label)); }))
    std::sort(labels.begin(), labels.end(), [&](const auto& a, const auto& b) { return number(a) < number(b); });
}

size_t place_of(const std::vector<std::string>& labels, const std::string& label) {
  return static_cast<size_t>(std::find(labels.begin(), labels.end(), label) - labels.begin());
}

std::string short_text(const ValueTable& table, const TableEntry& entry) {
  const int digits = table.metric.find("top") != std::string::npos ? 2 : 4;
  std::string text = fmt::format("{:.{}f}", entry.mean, digits);
  if (!std::isnan(entry.deviation)) text += fmt::format(" ± {:.{}f}", entry.deviation, digits);
  return text + (entry.complete ? "" : fmt::format(" ({}/{})", entry.by_seed.size(), entry.planned));
}

// x of a cell for scatter plots; NaN where it has none.
double number_of_cell(const SweepCell& cell, const std::string& stage, const std::string& x) {
  if (x == "avg_dist") {
    const auto config = cell.config.find("pretrain");
    return config == cell.config.end() ? std::nan("") : mean_avg_dist(config->second);
  }
  if (x != "gpu_hours" && x != "seconds") return mean(values_of(values_by_seed(cell, stage, x, nullptr)));
  std::map<int64_t, double> chains;  // seed -> what pre-training and this stage took
  for (const SweepRun& run : cell.runs)
    if (run.stage == "pretrain" || run.stage == stage)
      chains[run.seed] += run.state == "done" ? number_at(run, x) : std::nan("");
  std::erase_if(chains, [](const auto& chain) { return std::isnan(chain.second); });  // seeds that are not finished
  return mean(values_of(chains));
}

}  // namespace

Plot table_plot(const Sqlite& database, const std::string& sweep, const PlotOptions& options) {
  TableOptions asked{.rows = options.x, .columns = options.by};
  if (!options.y.empty()) asked.values = {options.y};
  const ComparisonTable whole = make_table(database, sweep, asked);
  ValueTable table = whole.values.at(0);
  sort_numeric(table.rows);
  sort_numeric(table.columns);
  const bool heat = options.x.empty() && table.rows.size() > 1 && table.columns.size() > 1 && table.groups.size() == 1;
  std::string metric = table.metric;
  std::replace(metric.begin(), metric.end(), '_', ' ');
  Plot plot{.title = sweep,
            .subtitle = first_sentence(whole.about),
            .x_label = heat ? whole.column_key : whole.row_key,
            .y_label = heat ? whole.row_key : table.stage + " " + metric,
            .larger_is_better = table.larger_is_better};
  if (heat) plot.title += ": " + table.stage + " " + metric;
  const auto in_grid = [&](const TableEntry& e) {
    return (whole.row_key.empty() || !e.row.empty()) && (whole.column_key.empty() || !e.column.empty());
  };
  std::vector<std::string> apart;
  for (const TableEntry& entry : table.entries) {
    if (std::isnan(entry.mean)) continue;
    if (!in_grid(entry)) {
      apart.push_back(entry.cell + " " + short_text(table, entry));
    } else if (heat) {
      plot.cells.push_back({place_of(table.rows, entry.row), place_of(table.columns, entry.column), entry.mean,
                            short_text(table, entry), entry.best});
    } else {
      std::string label = whole.column_key.empty() ? "" : whole.column_key + " " + entry.column;
      if (!entry.group.empty()) label += (label.empty() ? "" : ", ") + entry.group;
      auto curve =
          std::find_if(plot.curves.begin(), plot.curves.end(), [&](const Curve& c) { return c.label == label; });
      if (curve == plot.curves.end()) curve = plot.curves.insert(plot.curves.end(), Curve{label, {}});
      curve->points.push_back({static_cast<double>(place_of(table.rows, entry.row)), entry.mean,
                               std::isnan(entry.deviation) ? 0 : entry.deviation});
    }
  }
  if (plot.cells.empty() && plot.curves.empty())
    fail(Code::usage, "plot {}: no run is done yet; `simmim status {}` shows the time left", sweep, sweep);
  if (heat)
    plot.rows = table.rows, plot.columns = table.columns;
  else
    plot.ticks = table.rows, plot.markers = plot.bars = true;
  for (Curve& curve : plot.curves)
    std::sort(curve.points.begin(), curve.points.end(), [](const auto& a, const auto& b) { return a.x < b.x; });
  if (!apart.empty()) plot.subtitle += (plot.subtitle.empty() ? "" : "\n") + join(apart, ", ");
  return plot;
}

bool is_number_of_cells(const std::string& x) {
  const std::vector<std::string>& numbers = number_columns();
  return x == "avg_dist" || std::find(numbers.begin(), numbers.end(), x) != numbers.end();
}

Plot scatter_plot(const Sqlite& database, const std::string& sweep, const PlotOptions& options) {
  TableOptions asked;
  if (!options.y.empty()) asked.values = {options.y};
  const ComparisonTable whole = make_table(database, sweep, asked);
  const ValueTable& table = whole.values.at(0);
  const SweepData data = read_sweep_data(database, sweep);
  std::string metric = table.metric, x = options.x;
  std::replace(metric.begin(), metric.end(), '_', ' ');
  if (x == "gpu_hours" && std::none_of(data.cells.begin(), data.cells.end(),
                                       [&](const SweepCell& cell) { return number_of_cell(cell, table.stage, x) > 0; }))
    x = "seconds";
  Plot plot{.title = sweep,
            .subtitle = first_sentence(whole.about),
            .x_label = x == "avg_dist"    ? "AvgDist of the masks (pixels)"
                       : x == "gpu_hours" ? "GPU hours, pre-training and " + table.stage
                       : x == "seconds"   ? "seconds, pre-training and " + table.stage
                                          : table.stage + " " + join(split(x, '_'), " "),
            .y_label = table.stage + " " + metric,
            .markers = true,
            .bars = true,
            .scattered = x != "avg_dist"};
  for (const TableEntry& entry : table.entries) {
    const auto cell =
        std::find_if(data.cells.begin(), data.cells.end(), [&](const SweepCell& c) { return c.name == entry.cell; });
    const double at = cell == data.cells.end() ? std::nan("") : number_of_cell(*cell, table.stage, x);
    if (std::isnan(entry.mean) || std::isnan(at)) continue;
    const std::string key = options.by.empty() ? whole.row_key : options.by;
    const Json by = key.empty() ? Json() : cell->value(key, table.stage);
    std::string label = by.is_null() ? "" : by.is_string() ? by.get<std::string>() : key + " " + canonical(by);
    if (options.by.empty() && !entry.group.empty()) label += (label.empty() ? "" : ", ") + entry.group;
    if (label.empty()) label = entry.cell;
    auto curve = std::find_if(plot.curves.begin(), plot.curves.end(), [&](const Curve& c) { return c.label == label; });
    if (curve == plot.curves.end()) curve = plot.curves.insert(plot.curves.end(), Curve{label, {}});
    curve->points.push_back({at, entry.mean, std::isnan(entry.deviation) ? 0 : entry.deviation, entry.cell});
  }
  if (plot.curves.empty())
    fail(Code::usage, "--x {}: no cell of {} has both this number and a result yet; `simmim status {}` shows what runs",
         options.x, sweep, sweep);
  for (Curve& curve : plot.curves)
    std::sort(curve.points.begin(), curve.points.end(), [](const auto& a, const auto& b) { return a.x < b.x; });
  return plot;
}

}  // namespace simmim
