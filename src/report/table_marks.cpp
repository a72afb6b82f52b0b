#include "report/table_marks.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <set>

#include "core/names.h"
#include "runs/filter.h"
#include "runs/loss_kind.h"

namespace simmim {
namespace {

constexpr double kNoNumber = std::numeric_limits<double>::quiet_NaN();

bool is_top(const std::string& metric) { return metric.find("top") != std::string::npos; }

// Images seen and steps of the chain up to `stage`, of the first seed; NaN while one of its runs has none.
std::pair<double, double> budget_of(const SweepCell& cell, const std::string& stage) {
  std::pair<double, double> sum{0, 0};
  for (const SweepRun& run : cell.runs)
    if (run.seed == cell.runs[0].seed && (run.stage == "pretrain" || run.stage == stage))
      sum.first += number_at(run, "images_seen"), sum.second += number_at(run, "steps");
  return sum;
}

// The complete entries of a table, as places in it and as values a seed: what one additive model is fitted to.
std::pair<std::vector<size_t>, std::vector<std::vector<double>>> complete_entries(const ValueTable& table) {
  std::vector<size_t> places;
  std::vector<std::vector<double>> values;
  for (size_t i = 0; i < table.entries.size(); ++i) {
    const TableEntry& entry = table.entries[i];
    if (!entry.complete || (!values.empty() && entry.by_seed.size() != values[0].size())) continue;
    places.push_back(i);
    values.push_back(values_of(entry.by_seed));
  }
  return {std::move(places), std::move(values)};
}

// Whatever the table cannot tell from its best cell, in the same model, Holm over the comparisons with that cell.
void mark_near_best(ValueTable& table, size_t best) {
  const auto [complete, values] = complete_entries(table);
  const auto place = std::find(complete.begin(), complete.end(), best);
  if (place == complete.end() || values.size() < 2 || values[0].size() < 2) return;
  const AdditiveModel model(values);
  std::vector<size_t> others;
  std::vector<double> p;
  for (size_t i = 0; i < complete.size(); ++i)
    if (complete[i] != best) {
      others.push_back(complete[i]);
      p.push_back(model.difference(i, static_cast<size_t>(place - complete.begin())).p);
    }
  const std::vector<double> corrected = holm(p);
  bool any = false;
  for (size_t i = 0; i < others.size(); ++i) any |= table.entries[others[i]].near_best = corrected[i] >= 0.05;
  if (any) table.notes.push_back("≈ cannot be told from the best cell (same model, Holm's correction)");
}

// A baseline is leaves with their values, a cell's name ("scratch mask.patch=8": not all of its words are conditions)
// or conditions.
std::function<bool(const SweepCell&)> baseline_test(const Json& wanted, const std::string& stage,
                                                    const std::vector<std::string>& names) {
  if (!wanted.is_string())
    return [=](const SweepCell& cell) {
      for (const auto& [key, value] : wanted.items())
        if (canonical(cell.value(key, stage)) != canonical(value)) return false;
      return true;
    };
  const std::string text = wanted;
  if (text.find_first_of("=<>~") == std::string::npos || std::find(names.begin(), names.end(), text) != names.end())
    return [=](const SweepCell& cell) { return cell.name == text; };
  return [=, conditions = parse_filter(text)](const SweepCell& cell) {
    return fulfils_all(conditions, [&](const std::string& key) { return to_value(cell.value(key, stage)); });
  };
}

}  // namespace

double number_at(const SweepRun& run, const std::string& column) {
  const auto it = run.numbers.find(column);
  return it == run.numbers.end() ? kNoNumber : it->second;
}

std::map<int64_t, double> values_by_seed(const SweepCell& cell, const std::string& stage, const std::string& column,
                                         TableEntry* counts) {
  std::map<int64_t, std::vector<double>> seeds;
  std::set<int64_t> failed;
  for (const SweepRun& run : cell.runs) {
    if (run.stage != stage) continue;
    seeds[run.seed].push_back(run.state == "done" ? number_at(run, column) : kNoNumber);
    if (run.state == "failed" || run.state == "lost" || run.state == "stopped") failed.insert(run.seed);
  }
  std::map<int64_t, double> values;
  for (const auto& [seed, all] : seeds)
    if (const double value = mean(all); !std::isnan(value)) values[seed] = value;
  if (counts != nullptr)
    counts->planned = static_cast<int64_t>(seeds.size()), counts->failed = static_cast<int64_t>(failed.size());
  return values;
}

std::vector<double> values_of(const std::map<int64_t, double>& by_seed) {
  std::vector<double> values;
  for (const auto& [seed, value] : by_seed) values.push_back(value);
  return values;
}

void mark_other_budgets(ValueTable& table, const std::vector<const SweepCell*>& cells) {
  std::map<std::pair<double, double>, int> counts;
  const auto known = [](const std::pair<double, double>& b) { return !std::isnan(b.first) && !std::isnan(b.second); };
  for (size_t i = 0; i < cells.size(); ++i)  // of an unfinished cell nobody knows it yet
    if (const auto budget = budget_of(*cells[i], table.stage); table.entries[i].complete && known(budget))
      ++counts[budget];
  if (counts.size() < 2) return;
  const auto usual = std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) {
                       return a.second < b.second;
                     })->first;
  for (size_t i = 0; i < cells.size(); ++i)
    if (const auto budget = budget_of(*cells[i], table.stage); table.entries[i].complete && known(budget))
      table.entries[i].other_budget = budget != usual;
  table.notes.push_back("≠ budget: other images seen or steps than most cells, pre-training counted");
}

// Says which values were tried, and marks the cells whose best one lies at the edge of its list: beyond it may be
// better.
void mark_tuned_edges(ValueTable& table, const std::vector<const SweepCell*>& cells, const TunedKeys& tuned) {
  for (const auto& [key, list] : tuned.tried) {
    std::vector<double> numbers;
    std::vector<std::string> texts;
    for (const Json& value : list) {
      texts.push_back(canonical(value));
      if (value.is_number()) numbers.push_back(value.get<double>());
    }
    table.notes.push_back(
        fmt::format("tuned: {} of {} by {} on seeds {}", key, join(texts, ", "), tuned.by, tuned.seeds));
    if (numbers.size() < list.size() || numbers.size() < 2) continue;  // no order, no edge
    const auto [low, high] = std::minmax_element(numbers.begin(), numbers.end());
    bool any = false;
    for (size_t i = 0; i < cells.size(); ++i) {
      const auto value = cells[i]->values.find(key);
      if (value == cells[i]->values.end() || !value->is_number()) continue;
      if (const double number = value->get<double>(); number != *low && number != *high) continue;
      table.entries[i].tuned_edge = any = true;
    }
    if (any)
      table.notes.push_back(
          fmt::format("at edge: the best {} is the smallest or the largest tried; a wider list may do better", key));
  }
}

bool losses_comparable(const ValueTable& table, const std::vector<const SweepCell*>& cells) {
  std::set<std::string> kinds;
  for (const SweepCell* cell : cells)
    if (const auto config = cell->config.find(table.stage); config != cell->config.end())
      kinds.insert(loss_kind(config->second));
  return kinds.size() <= 1;
}

std::vector<int> find_baselines(ValueTable& table, const std::vector<const SweepCell*>& cells, const SweepData& data,
                                const Json& wanted) {
  std::vector<int> result(table.entries.size(), -1);
  if (wanted.is_null() || wanted.empty()) return result;
  std::vector<std::string> names;
  for (const SweepCell& cell : data.cells) names.push_back(cell.name);
  const auto is_baseline = baseline_test(wanted, table.stage, names);
  if (std::none_of(data.cells.begin(), data.cells.end(), is_baseline))
    fail(Code::usage, "baseline {}: fits no cell of the sweep; give one of {}, or keys such as mask.ratio=0.6",
         wanted.dump(), join(names, ", "));
  std::vector<int> candidates;
  for (size_t i = 0; i < cells.size(); ++i)
    if (is_baseline(*cells[i])) candidates.push_back(static_cast<int>(i));
  if (candidates.empty()) table.notes.push_back("the baseline is not among the cells shown, so nothing is compared");
  for (size_t i = 0; i < result.size(); ++i) {
    std::vector<int> own;
    for (const int candidate : candidates)
      if (table.entries[static_cast<size_t>(candidate)].group == table.entries[i].group) own.push_back(candidate);
    if (own.size() == 1)
      result[i] = own[0];
    else if (own.empty() && candidates.size() == 1)
      result[i] = candidates[0];
  }
  for (const int candidate : candidates) {
    table.entries[static_cast<size_t>(candidate)].baseline = true;
    if (table.baseline.empty()) table.baseline = table.entries[static_cast<size_t>(candidate)].cell;
  }
  return result;
}

// One model for all complete cells; Holm over all comparisons of the table.
void compare_with_baselines(ValueTable& table, const std::vector<int>& baselines) {
  const auto [complete, values] = complete_entries(table);
  if (values.size() < 2 || values[0].size() < 2) return;
  std::map<size_t, size_t> row;
  for (size_t i = 0; i < complete.size(); ++i) row[complete[i]] = i;
  const AdditiveModel model(values);
  std::vector<size_t> compared;
  std::vector<double> p;
  for (const size_t i : complete) {
    const int baseline = baselines[i];
    if (baseline < 0 || static_cast<size_t>(baseline) == i || !row.contains(static_cast<size_t>(baseline))) continue;
    table.entries[i].difference = model.difference(row[i], row[static_cast<size_t>(baseline)]);
    compared.push_back(i);
    p.push_back(table.entries[i].difference->p);
  }
  if (compared.empty()) return;
  const std::vector<double> corrected = holm(p);
  for (size_t i = 0; i < compared.size(); ++i) {
    table.entries[compared[i]].corrected_p = corrected[i];
    table.entries[compared[i]].shown = corrected[i] < 0.05;
  }
  table.test = values.size() == 2
                   ? "paired t-test over seeds"
                   : fmt::format("one additive model (value = cell + seed) over {} complete cells and {} seeds",
                                 values.size(), values[0].size());
  table.df = model.residual_df();
  table.smallest_difference = model.smallest_difference(compared.size());
}

void mark_best(ValueTable& table, const std::vector<const SweepCell*>& cells) {
  const auto best_of = [&](const auto& score) {
    int best = -1;
    for (size_t i = 0; i < table.entries.size(); ++i)
      if (const double value = score(i); !std::isnan(value) && (best < 0 || value > score(static_cast<size_t>(best))))
        best = static_cast<int>(i);
    return best;
  };
  const double sign = table.larger_is_better ? 1 : -1;
  const int best =
      best_of([&](size_t i) { return table.entries[i].complete ? sign * table.entries[i].mean : kNoNumber; });
  if (best >= 0) {
    table.entries[static_cast<size_t>(best)].best = true;
    mark_near_best(table, static_cast<size_t>(best));
  }
  if (table.metric != "test_top1") return;
  const int chosen = best_of([&](size_t i) {
    return table.entries[i].complete ? mean(values_of(values_by_seed(*cells[i], table.stage, "val_top1", nullptr)))
                                     : kNoNumber;
  });
  if (chosen < 0) return;
  table.entries[static_cast<size_t>(chosen)].chosen = true;
  table.notes.push_back("◆ the cell that the validation split chooses");
}

void compare_images(ValueTable& table, const std::vector<const SweepCell*>& cells, const fs::path& out) {
  if (table.entries.size() != 2 || !table.metric.starts_with("test_top")) return;  // what is stored is of test images
  if (!table.entries[0].complete || !table.entries[1].complete) return;
  std::vector<std::string> runs[2];
  for (size_t i = 0; i < 2; ++i)
    for (const SweepRun& run : cells[i]->runs)
      if (run.stage == table.stage && run.state == "done") runs[i].push_back(run.run);
  table.by_image = compare_by_image(out, runs[0], runs[1]);
  if (!table.by_image) return;
  const ImageComparison& found = *table.by_image;
  table.notes.push_back(fmt::format(
      "by image, over the {} test images: {} minus {} is {:+.2f} points [{:+.2f}, {:+.2f}], p {}; {} images are right "
      "more often with the former, {} with the latter (paired t-test over images: it speaks of these trained weights, "
      "not of other seeds)",
      found.images, table.entries[1].cell, table.entries[0].cell, found.difference.value, found.difference.low,
      found.difference.high, found.difference.p < 0.001 ? "< 0.001" : fmt::format("{:.3f}", found.difference.p),
      found.only_second, found.only_first));
}

void add_notes(ValueTable& table, const std::vector<const SweepCell*>& cells) {
  if (!table.test.empty()) {
    table.notes.push_back(
        fmt::format("test: {}, {:g} degree{} of freedom; p after Holm's correction; below 0.05 counts as shown",
                    table.test, table.df, table.df == 1 ? "" : "s"));
    table.notes.push_back(fmt::format("smallest difference this table could have shown: {:.2g}{}",
                                      table.smallest_difference, is_top(table.metric) ? " points" : ""));
  }
  if (std::any_of(table.entries.begin(), table.entries.end(), [](const TableEntry& e) { return e.planned == 1; }))
    table.notes.push_back("one seed: no spread and no test; differences may be noise");
  int64_t stopped = 0;
  for (const SweepCell* cell : cells)
    for (const SweepRun& run : cell->runs) stopped += run.stage == table.stage && run.state == "stopped";
  if (stopped > 0)
    table.notes.push_back(fmt::format("{} run{} stopped before the end (stop_if) and in no mean", stopped,
                                      stopped == 1 ? " was" : "s were"));
  const bool test = table.metric.starts_with("test_");
  for (const SweepCell* cell : cells)
    for (const SweepRun& run : cell->runs)
      if (const double images = test ? run.test_images : run.val_images;
          is_top(table.metric) && run.stage == table.stage && images > 0) {
        const double accuracy = number_at(run, table.metric);
        if (std::isnan(accuracy)) continue;
        table.notes.push_back(
            fmt::format("sampling error of the {} set: ± {:.2f} points (one standard error, {:.0f} images)",
                        test ? "test" : "validation", sampling_error_percent(accuracy, images), images));
        return;
      }
}

}  // namespace simmim
