#include "cli/dry_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cli/terminal.h"
#include "core/names.h"
#include "runs/database.h"
#include "runs/estimate.h"
#include "sweep/plan.h"

namespace simmim {
namespace {

struct Cost {
  double images = 0, steps = 0, flops = 0, seconds = 0, disk = 0, memory = 0;  // memory: of the largest run
  Basis basis = Basis::like;                                                   // the least of all runs'
};
Cost cost_of(const Json& plan, const std::vector<std::string>& runs, const History& history) {
  Cost cost;
  for (const std::string& run : runs) {
    const Json& entry = plan.at("runs").at(run);
    const Json numbers = entry.value("plan", Json::object());
    const Estimate time = estimate_time(entry, history);
    cost.images += numbers.value("images", 0.0);
    cost.steps += numbers.value("steps", 0.0);
    cost.flops += numbers.value("flops", 0.0);
    cost.disk += numbers.value("disk", 0.0);
    cost.memory = std::max(cost.memory, numbers.value("memory", 0.0));
    cost.seconds += time.seconds;
    cost.basis = std::max(cost.basis, time.basis);
  }
  return cost;
}

size_t members_of(const Json& plan) {
  size_t count = 0;
  for (const Json& cell : plan.at("cells"))
    for (const Json& chain : cell.at("chains")) count += chain.at("runs").size();
  return count;
}

// One plan: the sweep's, or its tuning's.
class Sketch {
 public:
  Sketch(const DryRun& what, const Shares& shares, const CommonOptions& common, const History& history)
      : plan_(what.plan),
        runs_(what.runs),
        cases_(what.cases),
        assumed_(what.assumed),
        shares_(shares),
        state_(plan_state(what.plan, what.runs, common.out, what.retry_failed)),
        cost_(cost_of(plan_, state_.todo, history)) {
    for (const std::string& run : runs_)
      if (plan_.at("runs").at(run).contains("stale")) stale_.push_back(run);
    if (!stale_.empty()) stale_cost_ = cost_of(plan_, stale_, history);
  }

  Json json() const {
    Json document = {{"plan", plan_},
                     {"todo", state_.todo},
                     {"reused", state_.reused},
                     {"failed", state_.failed},
                     {"stopped", state_.stopped},
                     {"blocked", state_.blocked},
                     {"steps", cost_.steps},
                     {"images", cost_.images},
                     {"flops", cost_.flops},
                     {"jobs", shares_.jobs},
                     {"memory", cost_.memory},
                     {"disk", cost_.disk},
                     {"seconds", std::isnan(time().seconds) ? Json(nullptr) : Json(time().seconds)}};
    for (const std::string& run : stale_)
      document["stale"].push_back({{"run", run}, {"why", plan_.at("runs").at(run).at("stale")}});
    if (assumed_) document["assumed"] = true;
    return document;
  }

  void print() const {
    if (!assumed_) print_cells();
    fmt::print("{} x {}: {} after sharing {}\n", counted(plan_.at("cells").size(), "cell"),
               counted(plan_.at("seeds").size(), "seed"), counted(plan_.at("runs").size(), "run"),
               counted(members_of(plan_), "stage"));
    fmt::print("{}\n{} steps, {} images, {} FLOPs; {}\n", runs_text(plan_, state_), count_text(cost_.steps),
               count_text(cost_.images), count_text(cost_.flops), shares_.text());
    print_stale();
    if (state_.todo.empty()) return;
    fmt::print("time: {}; disk: {}; memory: up to {} a worker\n", time().text(duration_text(time().seconds)),
               bytes_text(cost_.disk), bytes_text(cost_.memory));
  }

 private:
  Estimate time() const { return {cost_.seconds / shares_.jobs, cost_.basis}; }

  void print_stale() const {
    if (stale_.empty()) return;
    for (const std::string& run : stale_)
      fmt::print("stale: {}  {}: made with {}\n", run, run_title(plan_, run),
                 plan_.at("runs").at(run).at("stale").get<std::string>());
    const Estimate time{stale_cost_.seconds / shares_.jobs, stale_cost_.basis};
    fmt::print("{} stale, kept as made; --rerun-stale runs them again: {} steps, {}\n", counted(stale_.size(), "run"),
               count_text(stale_cost_.steps), time.text(duration_text(time.seconds)));
  }

  std::string mark(const std::string& id) const {
    const auto in = [&](const std::vector<std::string>& list) {
      return std::find(list.begin(), list.end(), id) != list.end();
    };
    return !in(runs_)           ? "left out"
           : in(state_.reused)  ? "done"
           : in(state_.failed)  ? "failed"
           : in(state_.stopped) ? "stopped"
           : in(state_.blocked) ? "not runnable"
                                : "to do";
  }

  // "  (mlp: head.name=mlp head.hidden=128)": what a case sets, which its name does not say.
  std::string cases_text(const Json& values) const {
    std::string text;
    for (const auto& [key, value] : values.items()) {
      if (!key.starts_with("case") || !value.is_string() || !cases_.contains(value.get<std::string>())) continue;
      std::vector<std::string> parts;
      for (const auto& [leaf, set] : cases_[value.get<std::string>()].items())
        parts.push_back(leaf + "=" + (set.is_string() ? set.get<std::string>() : set.dump()));
      text += fmt::format("  ({}: {})", value.get<std::string>(), parts.empty() ? "nothing set" : join(parts, " "));
    }
    return text;
  }

  void print_cells() const {
    for (const Json& cell : plan_.at("cells")) {
      std::string tuned;
      if (cell.contains("tuned"))
        for (const auto& [key, value] : cell["tuned"]["set"].items())
          tuned += fmt::format("  {}={}", key, value.dump());
      fmt::print("{}{}{}\n", cell.at("cell").get<std::string>(), cases_text(cell.at("values")),
                 tuned.empty() ? "" : "  tuned:" + tuned);
      for (const Json& chain : cell.at("chains")) {
        std::vector<std::string> parts;
        for (const Json& member : chain.at("runs"))
          parts.push_back(fmt::format("{} {} ({})", member["stage"].get<std::string>(), member["id"].get<std::string>(),
                                      mark(member["id"])));
        fmt::print("  seed {}: {}\n", chain.at("seed").dump(), join(parts, " -> "));
      }
    }
    fmt::print("\n");
  }

  const Json& plan_;
  const std::vector<std::string>& runs_;
  const Json& cases_;
  bool assumed_;
  const Shares& shares_;
  PlanState state_;
  Cost cost_, stale_cost_;
  std::vector<std::string> stale_;  // of the selected runs, those made before a version was raised
};

}  // namespace

std::string counted(size_t count, const std::string& noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string runs_text(const Json& plan, const PlanState& state) {
  std::vector<std::pair<std::string, int>> kinds;
  for (const std::string& run : state.todo) {
    const std::string kind = plan.at("runs").at(run).value("kind", "");
    auto it = std::find_if(kinds.begin(), kinds.end(), [&](const auto& item) { return item.first == kind; });
    if (it == kinds.end()) it = kinds.insert(kinds.end(), {kind, 0});
    ++it->second;
  }
  std::string text = counted(state.todo.size(), "run") + " to do";
  for (size_t i = 0; i < kinds.size(); ++i)
    text += fmt::format("{}{} {}", i ? ", " : " (", kinds[i].second, kinds[i].first);
  if (!kinds.empty()) text += ")";
  const auto stale = std::count_if(state.reused.begin(), state.reused.end(),
                                   [&](const std::string& run) { return plan.at("runs").at(run).contains("stale"); });
  if (!state.reused.empty()) text += fmt::format(", {} done already and reused", state.reused.size());
  if (stale > 0) text += fmt::format(" ({} stale: see --dry-run and --rerun-stale)", stale);
  if (!state.stopped.empty())
    text += fmt::format(", {} stopped by stop_if (--retry-failed runs them to the end)", state.stopped.size());
  if (!state.failed.empty()) text += fmt::format(", {} failed (--retry-failed runs them again)", state.failed.size());
  if (!state.blocked.empty())
    text += fmt::format(", {} not runnable: what they start from failed", state.blocked.size());
  return text;
}

void print_dry_run(const DryRun& sweep, const std::optional<DryRun>& tuning, const Shares& shares,
                   const CommonOptions& common) {
  const History history = read_history(open_for_reading(common.database(), common.out), common.out);
  const Sketch whole(sweep, shares, common, history);
  if (common.json) {
    Json document = whole.json();
    if (tuning) document["tuning"] = Sketch(*tuning, shares, common, history).json();
    fmt::print("{}\n", document.dump(2));
    return;
  }
  if (tuning) {
    fmt::print("{}: {}\n", tuning->plan.at("name").get<std::string>(), tuning->plan.at("about").get<std::string>());
    Sketch(*tuning, shares, common, history).print();
    fmt::print(
        "\n{}{}\n", sweep.plan.at("name").get<std::string>(),
        sweep.assumed ? ", with the values that the tuning is yet to choose (cost: as with the first ones)" : "");
  }
  whole.print();
}

}  // namespace simmim
