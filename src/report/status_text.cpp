#include "report/status_text.h"

#include <cmath>

#include "core/names.h"
#include "report/document.h"
#include "runs/run_folder.h"

namespace simmim {
namespace {

std::string shortened(const std::string& text, size_t most) { return text.size() <= most ? text : text.substr(0, most - 1) + "…"; }

std::string progress_text(const RunStatus& run) {
  std::string text = run.run + "  " + run.kind + (run.cell.empty() ? "" : "  " + run.cell) + fmt::format("  seed {}", run.seed);
  if (run.epochs > 0) text += fmt::format("  epoch {:g} of {:g}", run.epoch, run.epochs);
  return text + "  " + duration_text(run.seconds) + (run.host.empty() ? "" : "  on " + run.host);
}

std::string value_text(const Json& value) {
  if (value.is_null()) return "";
  if (value.is_number_float()) return fmt::format("{:.6g}", value.get<double>());
  return value.is_string() ? value.get<std::string>() : value.dump();
}

Frame frame_of(const Json& rows, const std::vector<std::string>& columns) {
  Frame frame{columns, {}};
  for (const Json& row : rows) {
    auto& cells = frame.rows.emplace_back();
    for (const std::string& column : columns) cells.push_back(to_value(row.value(column, Json())));
  }
  return frame;
}

std::string indented(const std::string& text) {
  std::string out;
  for (const std::string& line : split(trim(text), '\n')) out += "  " + line + "\n";
  return out;
}

}  // namespace

std::string duration_text(double seconds) {
  if (seconds < 90) return fmt::format("{:.0f} s", seconds);
  const auto minutes = static_cast<int64_t>(std::llround(seconds / 60));
  if (minutes < 90) return fmt::format("{} min", minutes);
  if (minutes < 48 * 60) return fmt::format("{} h {} min", minutes / 60, minutes % 60);
  return fmt::format("{} d {} h", minutes / (24 * 60), minutes / 60 % 24);
}

std::string status_text(const Status& status) {
  std::string out;
  for (const SweepStatus& sweep : status.sweeps) {
    std::vector<std::string> counts;
    for (const std::string& state : {"done", "running", "waiting", "interrupted", "failed", "lost", "stopped"})
      if (const auto it = sweep.states.find(state); it != sweep.states.end()) counts.push_back(fmt::format("{} {}", it->second, state));
    const auto done = sweep.states.find("done");
    const bool finished = done != sweep.states.end() && done->second == sweep.planned;
    out += fmt::format("{}: {} runs: {}", sweep.name, sweep.planned, join(counts, ", "));
    if (!finished) out += sweep.seconds_left ? "; about " + duration_text(*sweep.seconds_left) + " left" : "; time left not known yet";
    out += "\n" + (sweep.about.empty() ? "" : "  " + sweep.about + "\n");
    for (const RunStatus& run : sweep.running) out += "  running  " + progress_text(run) + "\n";
    for (const RunStatus& run : sweep.failed) {
      out += "  " + run.state + "  " + run.run + "  " + run.cell + fmt::format("  seed {}", run.seed);
      out += (run.error.empty() ? "" : ": " + shortened(run.error, 200)) + "\n";
    }
  }
  for (const RunStatus& run : status.running) out += "running  " + progress_text(run) + "\n";
  return out.empty() ? "nothing planned and nothing running\n" : out;
}

std::string run_text(const Json& description) {
  const Json& run = description.at("run");
  std::string out;
  for (const auto& [key, value] : run.items())
    if (!value.is_null()) out += fmt::format("{:<18}{}\n", key, value_text(value));
  out += fmt::format("{:<18}{}\n", "folder", description.value("folder", ""));
  const auto add = [&](const std::string& title, const std::string& text) { out += "\n" + title + "\n" + indented(text); };
  for (const Json& member : description.at("sweeps"))
    out += fmt::format("{:<18}{}: {}, seed {}\n", "sweep", value_text(member["sweep"]), value_text(member["cell"]), value_text(member["seed"]));
  for (const Json& child : description.at("children")) out += fmt::format("{:<18}{}\n", "child", value_text(child));
  if (!description.at("attempts").empty())
    add("attempts", render_frame(frame_of(description["attempts"], {"attempt", "state", "started_at", "seconds", "host", "device", "threads", "exit_code", "error"}), "table"));
  if (!description.at("metrics").empty())
    add("metrics", render_frame(frame_of(description["metrics"], {"key", "count", "first", "last", "min", "min_step", "max", "max_step"}), "table"));
  if (!description.at("artifacts").empty()) add("files", render_frame(frame_of(description["artifacts"], {"path", "bytes"}), "table"));
  std::string config;
  for (const auto& [key, value] : leaves(description.at("config"))) config += fmt::format("{} = {}\n", key, value_text(value));
  if (!config.empty()) add("configuration", config);
  return out;
}

}  // namespace simmim
