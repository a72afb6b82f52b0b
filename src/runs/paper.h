// The published numbers of the method's ablations (Xie et al., CVPR 2022, tables 1 to 7), as data. Most cells are not
// verified against the paper's text: they carry verified = false and are shown with a mark.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"

namespace simmim {

struct PaperValue {
  std::string table, cell;  // "paper/1", "mask.name=random mask.patch=32 mask.ratio=0.6"
  Json values;              // the same as dotted leaf -> value
  // "finetune", "test.top1" in percent (ImageNet's `val` folder is our test); "pretrain" with "parameters", "cost"
  // (times the default cell's) or "avg_dist" (pixels)
  std::string stage, metric;
  double value = 0;
  bool verified = false;
  std::string source;
};

struct PaperTable {
  std::string name, title;
  std::vector<std::string> axes;  // the leaves that its values name; "stage" where it has several
  Json setup;                     // dotted leaf -> value: what every cell shares unless its values say otherwise
  Json default_values;            // the values of the cell the paper compares with
  double images = 0;              // seen in pre-training (epochs x 1,281,167)
  std::vector<PaperValue> values;
};

const std::vector<PaperTable>& paper_tables();
std::vector<PaperValue> paper_values();                       // of all tables
const PaperTable* find_paper_table(const std::string& name);  // nullptr if there is none of that name

// The leaves that describe a chain: the resolved configurations of its stages laid over each other, dotted leaf ->
// value. target.resolution=auto becomes the image's size, which it stands for.
Json chain_leaves(const std::vector<Json>& configs);

// The published top-1 for a cell of ours, by the axes they have in common: `config` are ours (chain_leaves). nullptr
// when no cell, or more than one, agrees with `config` on every leaf its values name. This says nothing about data and
// sizes: see same_conditions.
const PaperValue* find_paper_value(const PaperTable& table, const Json& config, const std::string& stage);

// True where data, encoder, sizes and epochs are the paper's, so that the numbers themselves may stand side by side:
// the set-up's leaves agree and the pre-training sees the same number of images within 1 %.
bool same_conditions(const PaperTable& table, const PaperValue& value, const Json& config, double images_seen);

}  // namespace simmim
