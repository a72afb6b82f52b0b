#include "runs/status.h"

#include <algorithm>

#include "core/names.h"
#include "runs/schema.h"

namespace simmim {
namespace {

constexpr const char* kRuns = R"sql(
SELECT results.run, kind, {cell}, state, coalesce(error, ''), coalesce(host, ''), coalesce(results.seed, 0),
  coalesce(epochs, 0), coalesce(CASE WHEN state = 'running' THEN coalesce(config->>'$.pretrain.epochs',
    config->>'$.finetune.epochs', config->>'$.probe.epochs') END, 0), coalesce(seconds, 0)
FROM results {where} GROUP BY results.run)sql";

RunStatus read_run(const Statement& row) {
  return {row.text(0), row.text(1),    row.text(2), row.text(3), row.text(4),
          row.text(5), row.integer(6), row.real(7), row.real(8), row.real(9)};
}

SweepStatus read_sweep_status(const Sqlite& database, const std::string& name, const std::string& about) {
  SweepStatus status{name, about, {}, 0, {}, {}, {}};
  std::map<std::string, std::pair<double, int64_t>> done;  // kind -> seconds, runs
  std::map<std::string, double> left;                      // kind -> runs to do; a running one counts by what it lacks
  Statement runs =
      database.prepare(fmt::format(fmt::runtime(kRuns), fmt::arg("cell", "m.cell"),
                                   fmt::arg("where", "JOIN members m ON m.run = results.run WHERE m.sweep = ?")));
  runs.bind(1, name);
  while (runs.step()) {
    const RunStatus run = read_run(runs);
    ++status.planned, ++status.states[run.state];
    if (run.state == "running") {
      status.running.push_back(run);
      left[run.kind] += run.epochs > 0 ? std::clamp(1 - run.epoch / run.epochs, 0.0, 1.0) : 0.5;
    } else if (run.state == "done") {
      done[run.kind].first += run.seconds, ++done[run.kind].second;
    } else {
      const bool given_up = run.state == "failed" || run.state == "stopped";  // a lost run is taken up again
      if (given_up || run.state == "lost") status.failed.push_back(run);
      if (!given_up) left[run.kind] += 1;
    }
  }
  double seconds = 0;
  bool known = true;
  for (const auto& [kind, count] : left) {
    known = known && done.contains(kind);
    if (known) seconds += count * done[kind].first / static_cast<double>(done[kind].second);
  }
  if (known) status.seconds_left = seconds / std::max<double>(1, static_cast<double>(status.running.size()));
  return status;
}

Json run_json(const RunStatus& run) {
  return {{"run", run.run},     {"kind", run.kind},   {"cell", run.cell},     {"seed", run.seed},
          {"state", run.state}, {"epoch", run.epoch}, {"epochs", run.epochs}, {"seconds", run.seconds},
          {"host", run.host},   {"error", run.error}};
}

Json states_json(const std::map<std::string, int64_t>& states) {
  Json object = Json::object();
  for (const auto& [state, count] : states) object[state] = count;
  return object;
}

Json runs_json(const std::vector<RunStatus>& runs) {
  Json list = Json::array();
  for (const RunStatus& run : runs) list.push_back(run_json(run));
  return list;
}

}  // namespace

Status read_status(const Sqlite& database, const std::string& sweep) {
  Status status;
  std::vector<std::string> names;
  Statement sweeps = database.prepare("SELECT name, coalesce(about, '') FROM sweeps ORDER BY name");
  while (sweeps.step()) {
    names.push_back(sweeps.text(0));
    if (sweep.empty() || names.back() == sweep || names.back() == sweep + "-tune")
      status.sweeps.push_back(read_sweep_status(database, names.back(), sweeps.text(1)));
  }
  if (!sweep.empty() && status.sweeps.empty())
    fail(Code::usage, "{}: no such sweep{}", sweep,
         names.empty() ? "; none has been started here, simmim list sweeps shows some to start"
                       : unknown_name_hint(sweep, names));
  if (!sweep.empty()) return status;
  Statement loose = database.prepare(
      fmt::format(fmt::runtime(kRuns), fmt::arg("cell", "''"),
                  fmt::arg("where", "WHERE state = 'running' AND run NOT IN (SELECT run FROM sweep_cells)")));
  while (loose.step()) status.running.push_back(read_run(loose));
  Statement others = database.prepare(
      "SELECT state, count(*) FROM results WHERE run NOT IN (SELECT run FROM sweep_cells) GROUP BY state");
  while (others.step()) status.other_states[others.text(0)] = others.integer(1);
  return status;
}

Json status_json(const Status& status) {
  Json sweeps = Json::array();
  for (const SweepStatus& sweep : status.sweeps) {
    sweeps.push_back({{"sweep", sweep.name},
                      {"about", sweep.about},
                      {"planned", sweep.planned},
                      {"states", states_json(sweep.states)},
                      {"seconds_left", sweep.seconds_left ? Json(*sweep.seconds_left) : Json()},
                      {"running", runs_json(sweep.running)},
                      {"failed", runs_json(sweep.failed)}});
  }
  return {
      {"sweeps", sweeps}, {"running", runs_json(status.running)}, {"other_states", states_json(status.other_states)}};
}

}  // namespace simmim
