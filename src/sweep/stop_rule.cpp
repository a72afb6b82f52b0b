#include "sweep/stop_rule.h"

#include <algorithm>
#include <cmath>

#include "runs/loss_kind.h"
#include "runs/run_folder.h"

namespace simmim {
namespace {

struct StopOptions {
  bool nan = false;
  Json worse_than_median = nullptr;
  static void fields(auto& o, auto&& visit) {
    visit("nan", o.nan, "a value in the journal is not finite");
    visit("worse_than_median", o.worse_than_median, "{metric, after, at_least}");
  }
};

std::optional<MedianRule> read_rules(const Json& stop_if, bool& nan) {
  StopOptions options;
  read_fields(options, stop_if, "sweep.stop_if");
  nan = options.nan;
  if (options.worse_than_median.is_null()) return std::nullopt;
  MedianRule rule;
  read_fields(rule, options.worse_than_median, "sweep.stop_if.worse_than_median");
  return rule;
}

// Runs of one kind may be compared by the metric.
std::string kind_of(const Json& entry, const std::string& metric) {
  const Json& config = entry.at("config");
  const Json* data = find_path(config, "data.name");
  return entry.at("kind").get<std::string>() + " " +
         (metric == "val.loss" ? loss_kind(config)
          : data != nullptr    ? data->dump()
                               : "");
}

double median_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t n = values.size();
  return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

}  // namespace

std::vector<FieldDescription> stop_if_fields() {
  std::vector<FieldDescription> fields = describe_fields<StopOptions>({}, "stop_if.");
  for (FieldDescription& field : describe_fields<MedianRule>({}, "stop_if.worse_than_median."))
    fields.push_back(std::move(field));
  return fields;
}

void check_stop_if(const Json& stop_if) {
  bool nan = false;
  read_rules(stop_if, nan);
}

StopRule::StopRule(const Json& plan, fs::path out) : plan_(plan), out_(std::move(out)) {
  if (!plan.contains("stop_if")) return;
  median_ = read_rules(plan["stop_if"], nan_);
  if (!median_) return;
  for (const auto& [run, entry] : plan.at("runs").items()) {
    kinds_[run] = kind_of(entry, median_->metric);
    comparable_[kinds_[run]].push_back(run);
  }
}

std::string StopRule::reason(const std::string& run) {
  if (!nan_ && !median_) return "";
  const Curve& curve = curve_of(run);
  if (nan_ && !curve.not_finite.empty()) return curve.not_finite + " is not finite (stop_if)";
  return median_ ? worse_than_median(run, curve) : "";
}

std::string StopRule::worse_than_median(const std::string& run, const Curve& curve) {
  if (curve.values.empty()) return "";
  const auto [epoch, value] = *curve.values.rbegin();
  const Json plan = plan_.at("runs").at(run).value("plan", Json::object());
  const double epochs = plan.value("epochs", 0.0);
  if (epoch < (median_->after < 1 ? median_->after * epochs : median_->after) || epoch >= epochs) return "";
  std::vector<double> others;
  for (const std::string& other : comparable_[kinds_[run]]) {
    if (other == run) continue;
    const Curve& theirs = curve_of(other);
    if (const auto it = theirs.values.lower_bound(epoch - 1e-6); it != theirs.values.end() && it->first < epoch + 1e-6)
      others.push_back(it->second);
  }
  if (static_cast<int64_t>(others.size()) < median_->at_least) return "";
  const double median = median_of(others);
  if (median_->metric == "val.loss" ? value <= median : value >= median) return "";
  return fmt::format("{} of {:.4g} at epoch {} is worse than {:.4g}, the median of {} comparable runs (stop_if)",
                     median_->metric, value, number_text(epoch), median, others.size());
}

// As far as the journal goes; read on from where it was left, or anew where a resumed run has cut it.
const StopRule::Curve& StopRule::curve_of(const std::string& run) {
  Curve& curve = curves_[run];
  const fs::path journal = run_path(out_, run) / "metrics.jsonl";
  std::error_code missing;
  const auto size = fs::file_size(journal, missing);
  if (missing || size == curve.bytes) return curve;
  if (size < curve.bytes) curve = {};
  curve.bytes = read_journal(journal, curve.bytes, [&](const Json& line) {
    for (const auto& [key, value] : line.items()) {
      if (value.is_null() && curve.not_finite.empty()) curve.not_finite = key;
      if (median_ && key == median_->metric && value.is_number()) curve.values[line.value("epoch", 0.0)] = value;
    }
  });
  return curve;
}

}  // namespace simmim
