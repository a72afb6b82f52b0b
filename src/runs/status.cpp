#include "runs/status.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <thread>

#include "core/error.h"
#include "core/names.h"
#include "core/process.h"
#include "core/recipes.h"
#include "runs/estimate.h"
#include "runs/run_folder.h"
#include "runs/schema.h"

namespace simmim {
namespace {

constexpr const char* kRuns = R"sql(
SELECT results.run, kind, {cell}, state, coalesce(error, ''), coalesce(host, ''), coalesce(results.seed, 0),
  coalesce(epochs, 0), coalesce(CASE WHEN state IN ('running', 'interrupted', 'lost') THEN coalesce(config->>'$.pretrain.epochs',
    config->>'$.finetune.epochs', config->>'$.probe.epochs') END, 0), coalesce(seconds, 0), coalesce(results.parent, '')
FROM results {where} GROUP BY results.run)sql";

RunStatus read_run(const Statement& row) {
  return {row.text(0),  row.text(1),    row.text(2), row.text(3), row.text(4), row.text(5),
          row.text(10), row.integer(6), row.real(7), row.real(8), row.real(9)};
}

// Runs that wait for one that failed or was stopped: nothing starts them before that is run again.
std::set<std::string> blocked_runs(const std::vector<RunStatus>& runs) {
  std::set<std::string> given_up, blocked;
  for (const RunStatus& run : runs)
    if (run.state == "failed" || run.state == "stopped") given_up.insert(run.run);
  for (size_t before = 0; before < given_up.size();) {  // a generation a time
    before = given_up.size();
    for (const RunStatus& run : runs)
      if (run.state == "waiting" && given_up.contains(run.parent)) given_up.insert(run.run), blocked.insert(run.run);
  }
  return blocked;
}

// left: run -> the share of it that is to do.
std::optional<double> seconds_left(const std::map<std::string, double>& left, size_t running, const Json& plan,
                                   const History& history) {
  double seconds = 0;
  for (const auto& [run, share] : left) {
    const auto entry = plan.at("runs").find(run);
    if (entry == plan.at("runs").end() || !entry->contains("config")) return std::nullopt;
    seconds += share * estimate_time(*entry, history).seconds;
  }
  if (std::isnan(seconds)) return std::nullopt;
  const int64_t room = std::thread::hardware_concurrency() / std::max<int64_t>(1, plan.value("threads", int64_t{1}));
  return seconds / static_cast<double>(running > 0 ? running : static_cast<size_t>(std::max<int64_t>(1, room)));
}

// What finished runs took, read when it is first asked for: that takes a while where there are many.
class LazyHistory {
 public:
  LazyHistory(const Sqlite& database, fs::path out) : database_(database), out_(std::move(out)) {}
  const History& get() {
    if (!history_) history_ = read_history(database_, out_);
    return *history_;
  }

 private:
  const Sqlite& database_;
  fs::path out_;
  std::optional<History> history_;
};

SweepStatus read_sweep_status(const Sqlite& database, const std::string& name, const std::string& about,
                              const fs::path& out, LazyHistory& history) {
  SweepStatus status{name, about, {}, 0, {}, {}, {}};
  Statement rows =
      database.prepare(fmt::format(fmt::runtime(kRuns), fmt::arg("cell", "m.cell"),
                                   fmt::arg("where", "JOIN members m ON m.run = results.run WHERE m.sweep = ?")));
  rows.bind(1, name);
  std::vector<RunStatus> runs;
  while (rows.step()) runs.push_back(read_run(rows));
  const std::set<std::string> blocked = blocked_runs(runs);
  std::map<std::string, double> left;
  for (const RunStatus& run : runs) {
    ++status.planned, ++status.states[blocked.contains(run.run) ? "blocked" : run.state];
    if (run.state == "done" || blocked.contains(run.run)) continue;
    const bool given_up = run.state == "failed" || run.state == "stopped";  // a lost run is taken up again
    if (run.state == "running") status.running.push_back(run);
    if (given_up || run.state == "lost") status.failed.push_back(run);
    if (!given_up) left[run.run] = run.epochs > 0 ? std::clamp(1 - run.epoch / run.epochs, 0.0, 1.0) : 1;
  }
  if (left.empty())
    status.seconds_left = 0;
  else if (const auto plan = out.empty() ? std::nullopt : read_plan(out, name))
    status.seconds_left = seconds_left(left, status.running.size(), *plan, history.get());
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

// The name of a sweep of which the database has one with one of the suffixes.
std::string sweep_with(const Sqlite& database, const std::string& name, const std::vector<std::string>& suffixes) {
  std::vector<std::string> here;
  Statement rows = database.prepare("SELECT name FROM sweeps ORDER BY name");
  while (rows.step()) here.push_back(rows.text(0));
  const auto is_here = [&](const std::string& sweep) {
    return std::any_of(suffixes.begin(), suffixes.end(), [&](const std::string& suffix) {
      return std::find(here.begin(), here.end(), sweep + suffix) != here.end();
    });
  };
  if (is_here(name)) return name;
  if (const auto file = sweep_file(name)) {
    const std::string sweep = sweep_name(*file);
    if (is_here(sweep)) return sweep;
    fail(Code::usage, "sweep {}: nothing of it has run here; start it: simmim sweep {}", sweep, shell_quoted(name));
  }
  fail(Code::usage, "no sweep is called {}{}", name, sweeps_hint(name, here));
}

}  // namespace

std::string sweeps_hint(const std::string& name, const std::vector<std::string>& here) {
  return here.empty() ? "; none has run here, simmim list sweeps shows some to start" : unknown_name_hint(name, here);
}

std::string sweep_run_here(const Sqlite& database, const std::string& name) { return sweep_with(database, name, {""}); }

Status read_status(const Sqlite& database, const std::string& name, const fs::path& out) {
  Status status;
  LazyHistory history(database, out);
  const std::string sweep = name.empty() ? name : sweep_with(database, name, {"", "-tune"});  // it may still tune
  Statement sweeps = database.prepare("SELECT name, coalesce(about, '') FROM sweeps ORDER BY name");
  while (sweeps.step())
    if (const std::string each = sweeps.text(0); sweep.empty() || each == sweep || each == sweep + "-tune")
      status.sweeps.push_back(read_sweep_status(database, each, sweeps.text(1), out, history));
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
