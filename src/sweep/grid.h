// A sweep file and its cells: the product of the blocks in "axes", then "when", then "exclude", then duplicates
// dropped. Every leaf of the configuration is an axis; nothing here knows what a leaf means.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/fields.h"
#include "core/json.h"

namespace simmim {

namespace fs = std::filesystem;

// One combination of axis values.
struct Cell {
  std::string name;              // "mask.patch=4 mask.ratio=0.6"; a case by its own name
  Json values = Json::object();  // what tables and EXPR see, by dotted key: {"mask.patch": 4, "case": "scratch"}
  Json set = Json::object();     // dotted leaf -> value: what the cell changes in the configuration
  Json tuned;                    // what was tried and chosen for it (see apply_tuning); null: nothing
};

// "tune": every cell tries each point on seeds that the table does not use, and keeps its best.
struct Tuning {
  std::vector<std::string> keys;  // dotted leaves
  std::vector<Json> points;       // the product of their lists: leaf -> value
  std::string stage, metric;      // what compares them: "finetune", "val.top1"
  std::vector<int64_t> seeds;
};

struct SweepFile {
  fs::path path;
  std::string name, about, paper;
  fs::path base;                  // the recipe; empty: the defaults
  Json set = Json::object();      // dotted leaf -> value, for all cells
  std::vector<std::string> axes;  // names in order: leaves, "zip", "case"
  std::vector<Cell> cells;
  Json cases = Json::object();                 // a case's name -> what it sets, dotted leaf -> value
  std::vector<std::string> warnings;           // what is allowed but surely not meant, a sentence each
  std::vector<int64_t> seeds, finetune_seeds;  // finetune_seeds: empty = one fine-tuning a chain, with its seed
  std::vector<std::string> stages, not_run;    // not_run: of the stages, resolved as a part of the chain but left out
  Json resources = Json::object(), table = Json::object();
  Json stop_if;  // null: never; see stop_rule.h
  std::optional<Tuning> tuning;
};

// Code::usage naming the file and the place for anything that is not understood, also when no cell is left, or a
// condition asks for a leaf that nothing in the sweep names.
SweepFile read_sweep(const fs::path& path);

// Its keys with what they mean, "stop_if.nan" and "resources.hours" too: for --help.
std::vector<FieldDescription> sweep_file_fields();

// What a cell has at a leaf, before defaults: its own value, else the sweep's "set", else the recipe's; null if none.
Json cell_leaf(const Cell& cell, const SweepFile& sweep, const std::string& key);

// A cell's name, from what it shows.
std::string cell_name(const Json& values);

// A number n -> {0, ..., n-1}; a list as it stands. `where` opens the messages.
std::vector<int64_t> read_seeds(const Json& value, const std::string& where);

}  // namespace simmim
