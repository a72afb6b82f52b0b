// What a table is made of, read from the database: the cells of a sweep, their runs, their configurations.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "core/json.h"
#include "runs/sqlite.h"

namespace simmim {

struct SweepRun {
  std::string run, stage, state;
  int64_t seed = 0;
  std::map<std::string, double> numbers;  // the numeric columns of `results` that are not null, and add_curve's
  double test_images = 0, val_images = 0;
};

struct SweepCell {
  std::string name, paper;  // paper: the published cell measured under the same conditions, or empty
  Json values;              // axis -> value
  std::vector<SweepRun> runs;
  std::map<std::string, Json> config;  // stage -> resolved configuration of the first seed's run

  // An axis' value, or a leaf of the stage's configuration, or of an earlier stage's; null if there is none.
  Json value(const std::string& key, const std::string& stage) const;
  Json chain() const;  // chain_leaves of all stages
};

// What the sweep NAME-tune tried: see sweep/tune.h. What it chose for a cell stands among the cell's values.
struct TunedKeys {
  std::map<std::string, std::vector<Json>> tried;  // leaf -> the values of its list
  std::string by, seeds;                           // "finetune.val.top1", "[100]"
};

struct SweepData {
  std::string name, about, paper;
  std::vector<std::string> axes;
  Json table;
  std::vector<int64_t> seeds;
  std::vector<SweepCell> cells;
  TunedKeys tuned;                  // empty: not tuned
  std::vector<std::string> curves;  // that the runs have, after add_curve
};

std::string label_of(const Json& value);           // a text as it is, null as nothing, the rest canonical
const std::vector<std::string>& number_columns();  // of `results`, what SweepRun::numbers may hold

SweepData read_sweep_data(const Sqlite& database, const std::string& sweep);  // Code::usage for an unknown sweep

// The last value of a curve (a key of the journals, "val.perplexity") into the numbers of the runs that have it, and
// the names of all their curves into `curves`.
void add_curve(const Sqlite& database, SweepData& data, const std::string& key);

}  // namespace simmim
