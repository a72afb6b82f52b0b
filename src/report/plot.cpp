#include "report/plot.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/names.h"
#include "report/plot_cells.h"
#include "report/table_data.h"
#include "runs/filter.h"
#include "runs/run_folder.h"

namespace simmim {
namespace {

constexpr size_t kMostPoints = 1000;  // a curve; more are averaged piecewise

// What a curve is drawn from: a run, and the label of the line it belongs to.
struct Source {
  std::string run, label;
};

std::string column_of_run(const Sqlite& database, const std::string& run, const std::string& expression) {
  Statement row = database.prepare("SELECT " + expression + " FROM results WHERE run = ?");
  return row.bind(1, run).step() ? row.text(0) : "";
}

// x = factor * (step | epoch | seconds) for one run.
std::pair<std::string, double> x_of(const Sqlite& database, const std::string& run, const std::string& x) {
  if (x == "images") {
    const std::string batch =
        column_of_run(database, run, "coalesce(config->>'$.pretrain.batch_size', config->>'$.finetune.batch_size', 1)");
    return {"step", std::max(1.0, std::atof(batch.c_str()))};
  }
  if (x == "gpu_hours")
    return {"seconds", std::max(1.0, std::atof(column_of_run(database, run, "coalesce(gpus, 0)").c_str())) / 3600};
  return {x, 1};
}

std::vector<PlotPoint> thinned(const std::vector<PlotPoint>& points) {
  if (points.size() <= kMostPoints) return points;
  const size_t piece = (points.size() + kMostPoints - 1) / kMostPoints;
  std::vector<PlotPoint> out;
  for (size_t i = 0; i < points.size(); i += piece) {
    const size_t count = std::min(piece, points.size() - i);
    PlotPoint sum;
    for (size_t k = i; k < i + count; ++k) sum.x += points[k].x, sum.y += points[k].y, sum.spread += points[k].spread;
    const double n = static_cast<double>(count);
    out.push_back({sum.x / n, sum.y / n, sum.spread / n});
  }
  return out;
}

// One line a label: the mean over its runs at each step, with the standard deviation.
std::vector<Curve> draw_curves(const Sqlite& database, const std::vector<Source>& sources, const std::string& x,
                               const std::string& key) {
  std::vector<std::string> labels;
  std::map<std::string, std::map<int64_t, std::pair<std::vector<double>, std::vector<double>>>>
      lines;  // label -> step -> xs, ys
  for (const Source& source : sources) {
    const auto [column, factor] = x_of(database, source.run, x);
    Statement rows = database.prepare(
        fmt::format("SELECT step, {}, value FROM curves WHERE run = ? AND key = ? AND value IS NOT NULL", column));
    rows.bind_all(source.run, key);
    while (rows.step()) {
      auto& [xs, ys] = lines[source.label][rows.integer(0)];
      xs.push_back(factor * rows.real(1));
      ys.push_back(rows.real(2));
    }
    if (lines.contains(source.label) && std::find(labels.begin(), labels.end(), source.label) == labels.end())
      labels.push_back(source.label);
  }
  std::vector<Curve> curves;
  for (const std::string& label : labels) {
    Curve curve{label, {}};
    for (const auto& [step, values] : lines[label]) {
      const double spread = standard_deviation(values.second);
      curve.points.push_back({mean(values.first), mean(values.second), std::isnan(spread) ? 0 : spread});
    }
    curve.points = thinned(curve.points);
    curves.push_back(std::move(curve));
  }
  return curves;
}

std::vector<std::string> known_keys(const Sqlite& database, const std::vector<Source>& sources) {
  std::vector<std::string> keys;
  for (const Source& source : sources) {
    Statement rows = database.prepare("SELECT key FROM metric_summary WHERE run = ?");
    rows.bind(1, source.run);
    while (rows.step())
      if (std::find(keys.begin(), keys.end(), rows.text(0)) == keys.end()) keys.push_back(rows.text(0));
  }
  return keys;
}

Plot curves_plot(const Sqlite& database, const std::string& title, const std::vector<Source>& sources, std::string x,
                 std::string y) {
  const std::vector<std::string> keys = known_keys(database, sources);
  if (keys.empty()) fail(Code::usage, "plot {}: no curve is recorded yet; `simmim status` shows what runs", title);
  if (std::find(keys.begin(), keys.end(), y) == keys.end())
    fail(Code::usage, "--y {}: these runs have no such curve{}", y, unknown_name_hint(y, keys));
  if (x.empty()) x = "epoch";
  Plot plot{.title = title, .x_label = x == "images" ? "images seen" : x == "gpu_hours" ? "hours" : x, .y_label = y};
  plot.curves = draw_curves(database, sources, x, y);
  if (plot.curves.empty())
    fail(Code::usage, "--x {}: these runs have no such column; known: step, epoch, images or gpu_hours", x);
  plot.markers =
      std::all_of(plot.curves.begin(), plot.curves.end(), [](const Curve& c) { return c.points.size() <= 30; });
  return plot;
}

// "finetune.val.top1" -> {finetune, val.top1}; the stage alone may be missing.
std::pair<std::string, std::string> split_stage(const std::string& y) {
  for (const char* stage : {"pretrain.", "finetune.", "probe."})
    if (y.starts_with(stage))
      return {std::string(stage).substr(0, std::string(stage).size() - 1), y.substr(std::string(stage).size())};
  return {"", y};
}

Plot sweep_curves(const Sqlite& database, const std::string& sweep, const PlotOptions& options) {
  const SweepData data = read_sweep_data(database, sweep);
  auto [stage, key] = split_stage(options.y);
  if (key.empty()) key = "loss";
  if (key == "top1") key = "val.top1";
  if (stage.empty()) stage = key.find("top") == std::string::npos ? "pretrain" : "finetune";
  std::vector<Source> sources;
  for (const SweepCell& cell : data.cells) {
    const Json by = options.by.empty() ? Json(cell.name) : cell.value(options.by, stage);
    const std::string label = by.is_string() ? by.get<std::string>()
                              : by.is_null() ? cell.name
                                             : options.by + " " + canonical(by);
    for (const SweepRun& run : cell.runs)
      if (run.stage == stage) sources.push_back({run.run, label});
  }
  Plot plot = curves_plot(database, sweep, sources, options.x, key);
  plot.subtitle = first_sentence(data.about);
  plot.y_label = stage + " " + key;
  return plot;
}

// Of a sweep, gpu_hours is time along a curve only where y is a curve that is no result.
bool wants_points(const PlotOptions& options) {
  std::string y = split_stage(options.y).second;
  std::replace(y.begin(), y.end(), '.', '_');
  return is_number_of_cells(options.x) &&
         (options.x != "gpu_hours" || y.empty() || y == "top1" || is_number_of_cells(y));
}

}  // namespace

bool is_curve_x(const std::string& x) { return x == "step" || x == "epoch" || x == "images" || x == "gpu_hours"; }

Plot make_plot(const Sqlite& database, const fs::path& out, const std::vector<std::string>& names,
               const PlotOptions& options) {
  if (names.empty()) fail(Code::usage, "plot: name a sweep or runs; see `simmim status` and `simmim runs`");
  Statement sweeps = database.prepare("SELECT count(*) FROM sweeps WHERE name = ?");
  sweeps.bind(1, names[0]).step();
  if (names.size() == 1 && sweeps.integer(0) > 0)
    return wants_points(options)   ? scatter_plot(database, names[0], options)
           : is_curve_x(options.x) ? sweep_curves(database, names[0], options)
                                   : table_plot(database, names[0], options);
  if (!options.x.empty() && !is_curve_x(options.x))
    fail(Code::usage,
         "--x {}: runs are drawn against step, epoch, images or gpu_hours; a sweep against any of its axes", options.x);
  std::vector<Source> sources;
  for (const std::string& name : names) {
    const std::string id = resolve_run(out, name);
    const std::string key = options.by.empty() ? "" : column_of_run(database, id, key_sql(database, options.by));
    sources.push_back({id, options.by.empty() ? (name == "latest" ? id : name) : options.by + " " + key});
  }
  const std::string kind = column_of_run(database, sources[0].run, "kind");
  const std::string y = !options.y.empty()                      ? split_stage(options.y).second
                        : kind == "finetune" || kind == "probe" ? "val.top1"
                                                                : "loss";
  return curves_plot(database, names.size() == 1 ? kind + " " + sources[0].run : join(names, ", "), sources, options.x,
                     y == "top1" ? "val.top1" : y);
}

}  // namespace simmim
