// A sweep file and its cells: the product of the blocks in "axes", then "when", then "exclude", then duplicates
// dropped. Every leaf of the configuration is an axis; nothing here knows what a leaf means.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "core/json.h"

namespace simmim {

namespace fs = std::filesystem;

// One combination of axis values.
struct Cell {
  std::string name;              // "mask.patch=4 mask.ratio=0.6"; a case by its own name
  Json values = Json::object();  // what tables and EXPR see, by dotted key: {"mask.patch": 4, "case": "scratch"}
  Json set = Json::object();     // dotted leaf -> value: what the cell changes in the configuration
};

struct SweepFile {
  fs::path path;
  std::string name, about, paper;
  fs::path base;                  // the recipe; empty: the defaults
  Json set = Json::object();      // dotted leaf -> value, for all cells
  std::vector<std::string> axes;  // names in order: leaves, "zip", "case"
  std::vector<Cell> cells;
  std::vector<int64_t> seeds, finetune_seeds;  // finetune_seeds: empty = one fine-tuning a chain, with its seed
  std::vector<std::string> stages;
  Json resources = Json::object(), table = Json::object();
};

// Code::usage naming the file and the place for anything that is not understood, also when no cell is left.
SweepFile read_sweep(const fs::path& path);

// A cell's name, from what it shows.
std::string cell_name(const Json& values);

// A number n -> {0, ..., n-1}; a list as it stands. `where` opens the messages.
std::vector<int64_t> read_seeds(const Json& value, const std::string& where);

}  // namespace simmim
