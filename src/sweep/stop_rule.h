// "stop_if" in a sweep file: runs that are not worth finishing, decided from the journals whenever a run has finished
// an epoch. Off unless the file says so.
//
//   {"nan": true, "worse_than_median": {"metric": "val.loss", "after": 0.3, "at_least": 3}}
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/fields.h"
#include "core/files.h"

namespace simmim {

struct MedianRule {
  std::string metric = "val.top1";
  double after = 0.3;
  int64_t at_least = 3;
  static void fields(auto& o, auto&& visit) {
    visit("metric", o.metric, "what is compared", FieldRule{.choices = {"val.top1", "val.loss"}});
    visit("after", o.after, "not before this share of a run (below 1) or this epoch", FieldRule{.min = 0});
    visit("at_least", o.at_least, "other runs that have come as far", FieldRule{.min = 1});
  }
};

class StopRule {
 public:
  // plan: with "stop_if", which may be missing. Code::usage for what that does not allow.
  StopRule(const Json& plan, fs::path out);

  // Why a run should stop where it stands; "" to go on. It is compared at the epoch that it has come to with the runs
  // of this plan that are comparable: same stage, same data, and for a loss same mask, target, loss and normalisation.
  std::string reason(const std::string& run);

 private:
  struct Curve {
    uint64_t bytes = 0;               // read so far
    std::map<double, double> values;  // epoch -> the metric
    std::string not_finite;           // the first key without a finite value
  };
  const Curve& curve_of(const std::string& run);
  std::string worse_than_median(const std::string& run, const Curve& curve);

  const Json& plan_;
  fs::path out_;
  bool nan_ = false;
  std::optional<MedianRule> median_;
  std::map<std::string, Curve> curves_;
  std::map<std::string, std::vector<std::string>> comparable_;  // kind -> runs
  std::map<std::string, std::string> kinds_;                    // run -> kind
};

std::vector<FieldDescription> stop_if_fields();  // "stop_if.nan", ...

// Refuses what is no "stop_if"; Code::usage.
void check_stop_if(const Json& stop_if);

}  // namespace simmim
