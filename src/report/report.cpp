#include "report/report.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "core/error.h"
#include "core/names.h"
#include "report/page.h"
#include "report/paper_table.h"
#include "report/plot.h"
#include "report/table_data.h"
#include "runs/query.h"
#include "runs/run_folder.h"
#include "runs/status.h"
#include "sweep/plan.h"

namespace simmim {
namespace {

std::string heading(const std::string& text) { return "<h2>" + html_text(text) + "</h2>\n"; }
std::string paragraph(const std::string& text) { return "<p>" + html_text(text) + "</p>\n"; }
std::string preformatted(const std::string& text) { return "<pre><code>" + html_text(text) + "</code></pre>\n"; }
std::string folded(const std::string& summary, const std::string& body) {
  return "<details><summary>" + html_text(summary) + "</summary>\n" + body + "</details>\n";
}

std::string states_text(const SweepStatus& status) {
  std::vector<std::string> parts;
  for (const auto& [state, runs] : status.states)
    if (runs > 0) parts.push_back(fmt::format("{} {}", runs, state));
  return fmt::format("{} of {} runs", join(parts, ", "), status.planned);
}

struct Picture {
  std::string caption;
  PlotOptions options;
};

std::string pictures_part(const Sqlite& database, const fs::path& out, const SweepData& data) {
  bool pretrained = false, tuned = false;
  for (const SweepCell& cell : data.cells)
    pretrained = pretrained || cell.config.contains("pretrain"), tuned = tuned || cell.config.contains("finetune");
  std::vector<Picture> pictures{{"the table as a picture", {}}};
  if (pretrained) pictures.push_back({"loss of pre-training", {.x = "step", .y = "pretrain.loss"}});
  if (tuned) pictures.push_back({"validation accuracy while fine-tuning", {.x = "epoch", .y = "finetune.val.top1"}});
  if (std::any_of(data.axes.begin(), data.axes.end(),
                  [](const std::string& axis) { return axis.starts_with("mask."); }))
    pictures.push_back({"against the distance from masked to visible pixels", {.x = "avg_dist"}});
  pictures.push_back({"against the cost", {.x = "gpu_hours"}});
  std::string body;
  for (size_t i = 0; i < pictures.size(); ++i) {
    try {
      const Plot plot = make_plot(database, out, {data.name}, pictures[i].options);
      if (is_curve_x(pictures[i].options.x) &&
          std::all_of(plot.curves.begin(), plot.curves.end(), [](const Curve& c) { return c.points.size() < 2; }))
        continue;  // measured once, at the end: the table says it
      const std::string svg = render_plot(plot, "svg");
      body += "<figure>" + inline_svg(svg, fmt::format("plot{}", i + 1)) + "<figcaption>" +
              html_text(pictures[i].caption) + "</figcaption></figure>\n";
    } catch (const Error& error) {
      body += paragraph(fmt::format("{}: not drawn: {}", pictures[i].caption, error.what()));
    }
  }
  return heading("Pictures") + body;
}

// One sheet a pre-training run of the first seed, with the cells that share it.
std::string sheets_part(const fs::path& out, const SweepData& data) {
  std::vector<std::string> order;
  std::map<std::string, std::vector<std::string>> cells;
  for (const SweepCell& cell : data.cells)
    for (const SweepRun& run : cell.runs)
      if (run.stage == "pretrain" && run.seed == cell.runs[0].seed) {
        if (!cells.contains(run.run)) order.push_back(run.run);
        cells[run.run].push_back(cell.name);
      }
  std::string body;
  for (const std::string& run : order) {
    const fs::path sheet = run_path(out, run) / "reconstruction.png";
    std::error_code missing;
    if (!fs::is_regular_file(sheet, missing)) continue;
    body += fmt::format(
        "<figure><img alt=\"reconstructions of run {}\" src=\"{}\"><figcaption>{} ({})</figcaption>"
        "</figure>\n",
        html_text(run), data_uri("image/png", read_file(sheet)), html_text(join(cells[run], "; ")), html_text(run));
  }
  if (body.empty()) return "";
  return heading("Reconstructions") +
         paragraph(
             "Of each image: input, what the model saw, what it predicted, the prediction pasted into the hidden "
             "part. The same validation images in every cell, first seed.") +
         "<div class=\"sheets\">\n" + body + "</div>\n";
}

std::string plan_part(const SweepData& data) {
  TextTable table{"", {"cell", "seed", "stage", "run", "state", "top-1", "seconds"}, {}, {false, true}};
  table.right.resize(5, false), table.right.resize(7, true);
  for (const SweepCell& cell : data.cells)
    for (const SweepRun& run : cell.runs) {
      const auto number = [&](const char* name, int digits) {
        const auto it = run.numbers.find(name);
        return it == run.numbers.end() ? std::string() : fmt::format("{:.{}f}", it->second, digits);
      };
      std::string top1 = number("val_top1", 2);
      if (top1.empty()) top1 = number("test_top1", 2);
      table.rows.push_back({{cell.name},
                            {std::to_string(run.seed)},
                            {run.stage},
                            {run.run},
                            {run.state},
                            {top1},
                            {number("seconds", 0)}});
    }
  return heading("Plan") +
         paragraph(fmt::format("{} cells, {} seeds; a run that several cells share stands with each.",
                               data.cells.size(), data.seeds.size())) +
         folded("every run", html_tables({"", {std::move(table)}, {}, ""}));
}

// What the runs ran on: each set of facts once, with the number of attempts.
std::string environments_part(const Sqlite& database, const std::string& sweep) {
  Statement rows = database.prepare(
      "SELECT e.facts, count(*), a.device, a.threads FROM attempts a JOIN environments e ON e.id = a.environment WHERE "
      "a.run IN (SELECT run FROM sweep_cells WHERE sweep = ?) GROUP BY e.id, a.device, a.threads ORDER BY 2 DESC");
  rows.bind(1, sweep);
  std::string body;
  while (rows.step()) {
    const Json facts = Json::parse(rows.text(0), nullptr, /*allow_exceptions=*/false);
    std::vector<std::string> parts{"device: " + rows.text(2), "threads: " + rows.text(3)};
    if (facts.is_object())
      for (const auto& [key, value] : facts.items())
        if (const std::string text = value.is_string() ? value.get<std::string>() : value.dump(); !text.empty())
          parts.push_back(key + ": " + text);
    body += "<li>" + html_text(fmt::format("{} attempts: {}", rows.integer(1), join(parts, ", "))) + "</li>\n";
  }
  return body.empty() ? "" : heading("Environments") + "<ul>" + body + "</ul>\n";
}

std::string failures_part(const fs::path& out, const SweepStatus& status) {
  std::string body;
  for (const RunStatus& run : status.failed)
    body += folded(fmt::format("{} {}: {}, seed {}: {}", run.state, run.run, run.cell, run.seed,
                               run.error.substr(0, run.error.find('\n'))),
                   preformatted(run_why(out, run.run)));
  return body.empty() ? "" : heading("Failures") + body;
}

// The sweep's file and what was given beside it, as the frozen plan has it.
std::string commands_part(const Json& plan, const std::string& sweep) {
  const std::string file = plan.value("file", sweep);
  std::string body = heading("To repeat it") +
                     preformatted(sweep_command(plan) + "\nsimmim table " + sweep + "\nsimmim report " + sweep);
  body += paragraph(fmt::format("Plan {} with {} threads a run; the commit stands under Environments.",
                                plan.value("revision", Json(0)).dump(), plan.value("threads", Json(1)).dump()));
  std::error_code missing;
  if (fs::is_regular_file(file, missing)) body += folded(file, preformatted(read_file(file)));
  return body;
}

}  // namespace

std::string sweep_report(const Sqlite& database, const fs::path& out, const std::string& sweep) {
  const SweepData data = read_sweep_data(database, sweep);
  const SweepStatus status = read_status(database, sweep).sweeps.at(0);
  const Json plan = read_plan(out, sweep).value_or(Json::object());
  std::string body = "<h1>" + html_text(sweep) + "</h1>\n";
  if (!data.about.empty()) body += paragraph(data.about);
  body += paragraph(states_text(status));
  Document tables = table_document(make_table(database, sweep, {.out = out}));
  tables.title.clear();
  body += heading("Table") + html_tables(tables);
  if (!data.paper.empty() && find_paper_table(data.paper) != nullptr)
    body += folded("beside the paper: " + data.paper,
                   html_tables(paper_document(compare_with_paper(database, data.paper))));
  body += pictures_part(database, out, data);
  body += sheets_part(out, data);
  body += failures_part(out, status);
  body += plan_part(data);
  body += environments_part(database, sweep);
  body += commands_part(plan, sweep);
  return html_page(sweep, body);
}

}  // namespace simmim
