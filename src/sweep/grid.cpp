#include "sweep/grid.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "core/fields.h"
#include "core/names.h"
#include "core/recipes.h"
#include "sweep/blocks.h"
#include "sweep/stop_rule.h"
#include "sweep/tune.h"

namespace simmim {
namespace {

struct SweepOptions {
  std::string about, base, paper;
  Json set = Json::object(), axes = Json::array(), when = Json::array(), exclude = Json::array();
  Json seeds = 1, finetune_seeds = Json::array();
  std::vector<std::string> stages = {"pretrain", "finetune"};
  Json resources = Json::object(), table = Json::object(), tune = nullptr, stop_if = nullptr;

  static void fields(auto& o, auto&& visit) {
    visit("about", o.about, "the question, the expected cost and answer");
    visit("base", o.base, "the recipe that every cell starts from");
    visit("set", o.set, "leaves for all cells");
    visit("axes", o.axes, "blocks grid, zip or cases; their product is the sweep");
    visit("when", o.when, "{if, set}: leaves that follow from others");
    visit("exclude", o.exclude, "combinations to leave out");
    visit("seeds", o.seeds, "how many, or which");
    visit("finetune_seeds", o.finetune_seeds, "fine-tunings of each pre-training: how many, or which seeds");
    visit("tune", o.tune, "values that every cell tries");
    visit("stop_if", o.stop_if, "{nan, worse_than_median}: runs that are given up");
    visit("stages", o.stages, "the chain", FieldRule{.choices = {"pretrain", "finetune", "probe"}});
    visit("resources", o.resources, "gpus, hours, threads a run");
    visit("table", o.table, "rows, columns, groups, value, baseline");
    visit("paper", o.paper, "the paper's table that stands beside ours");
  }
};

// Every key has the value asked for; a list means any of its values.
bool matches(const Cell& cell, const SweepFile& sweep, const Json& condition, const std::string& where) {
  for (const auto& [key, wanted] : object_at(condition, where).items()) {
    const std::string got = canonical(cell_leaf(cell, sweep, key));
    const Json any = wanted.is_array() ? wanted : Json::array({wanted});
    if (std::none_of(any.begin(), any.end(), [&](const Json& value) { return canonical(value) == got; })) return false;
  }
  return true;
}

void apply_when(Cell& cell, const SweepFile& sweep, const Json& when) {
  for (size_t i = 0; i < when.size(); ++i) {
    const std::string where = fmt::format("sweep.when[{}]", i);
    const Json& rule = object_at(when[i], where);
    for (const auto& [key, value] : rule.items())
      if (key != "if" && key != "set")
        fail(Code::usage, "{}.{}: unknown key{}", where, key, unknown_name_hint(key, {"if", "set"}));
    if (!rule.contains("if") || !rule.contains("set")) fail(Code::usage, "{}: needs both \"if\" and \"set\"", where);
    if (!matches(cell, sweep, rule["if"], where + ".if")) continue;
    const Json set = dotted(rule["set"], where + ".set");
    for (const auto& [key, value] : set.items()) {
      cell.set[key] = value;
      if (cell.values.contains(key)) cell.values[key] = value;
    }
  }
}

std::vector<Cell> expand(const SweepOptions& options, const SweepFile& sweep, const std::vector<Block>& blocks) {
  std::vector<Cell> cells = {Cell{}};
  for (const Block& block : blocks) {
    std::vector<Cell> product;
    for (const Cell& cell : cells)
      for (const Point& point : block.points) {
        product.push_back(cell);
        product.back().values.update(point.values);
        product.back().set.update(point.set);
      }
    cells = std::move(product);
  }
  std::vector<Cell> kept;
  std::set<std::string> seen;
  for (Cell& cell : cells) {
    apply_when(cell, sweep, options.when);
    bool excluded = false;
    for (size_t i = 0; i < options.exclude.size(); ++i)
      excluded |= matches(cell, sweep, options.exclude[i], fmt::format("sweep.exclude[{}]", i));
    if (excluded || !seen.insert(canonical(cell.set)).second) continue;
    cell.name = cell_name(cell.values);
    kept.push_back(std::move(cell));
  }
  return kept;
}

const Json& list_at(const Json& value, const std::string& where) {
  if (!value.is_array()) fail(Code::usage, "{}: got {}; allowed: a list", where, value.dump());
  return value;
}

}  // namespace

Json cell_leaf(const Cell& cell, const SweepFile& sweep, const std::string& key) {
  for (const Json* layer : {&cell.values, &cell.set, &sweep.set})
    if (const auto it = layer->find(key); it != layer->end()) return *it;
  if (!sweep.base.empty())
    if (const auto leaf = recipe_leaf(sweep.base, key)) return *leaf;
  return nullptr;
}

std::string cell_name(const Json& values) {
  std::vector<std::string> parts;
  for (const auto& [key, value] : values.items()) {
    if (key.starts_with("zip")) continue;  // its leaves stand beside it
    parts.push_back(key.starts_with("case") ? short_text(value) : key + "=" + short_text(value));
  }
  return parts.empty() ? "all" : join(parts, " ");
}

std::vector<int64_t> read_seeds(const Json& value, const std::string& where) {
  std::vector<int64_t> seeds;
  if (value.is_number_integer() && value.get<int64_t>() >= 0) {
    seeds.resize(value.get<size_t>());
    std::iota(seeds.begin(), seeds.end(), 0);
    return seeds;
  }
  for (const Json& seed : value.is_array() ? value : Json::array({nullptr})) {
    if (!seed.is_number_integer() || seed.get<int64_t>() < 0)
      fail(Code::usage, "{}: got {}; allowed: a number of seeds, or a list of seeds from 0", where, value.dump());
    if (std::find(seeds.begin(), seeds.end(), seed.get<int64_t>()) != seeds.end())
      fail(Code::usage, "{}: seed {} stands twice; keep one", where, seed.dump());
    seeds.push_back(seed.get<int64_t>());
  }
  return seeds;
}

SweepFile read_sweep(const fs::path& path) {
  SweepOptions options;
  read_fields(options, read_json_file(path), "sweep");
  SweepFile sweep{.path = path, .name = sweep_name(path), .about = options.about, .paper = options.paper};
  if (!options.base.empty()) sweep.base = find_recipe(options.base, fs::absolute(path).parent_path());
  sweep.set = dotted(options.set, "sweep.set");
  sweep.stages = options.stages;
  sweep.resources = object_at(options.resources, "sweep.resources");
  sweep.table = object_at(options.table, "sweep.table");
  sweep.seeds = read_seeds(options.seeds, "sweep.seeds");
  sweep.finetune_seeds = read_seeds(options.finetune_seeds, "sweep.finetune_seeds");
  if (sweep.seeds.empty()) fail(Code::usage, "sweep.seeds: no seed; give at least one");
  if (sweep.stages.empty()) fail(Code::usage, "sweep.stages: no stage; give at least one");
  if (!options.stop_if.is_null()) check_stop_if(sweep.stop_if = options.stop_if);
  list_at(options.when, "sweep.when");
  list_at(options.exclude, "sweep.exclude");
  std::vector<Block> blocks;
  for (size_t i = 0; i < list_at(options.axes, "sweep.axes").size(); ++i)
    add_block(blocks, read_block(options.axes[i], fmt::format("sweep.axes[{}]", i)));
  for (const Block& block : blocks) sweep.axes.insert(sweep.axes.end(), block.axes.begin(), block.axes.end());
  sweep.cells = expand(options, sweep, blocks);
  if (sweep.cells.empty()) fail(Code::usage, "{}: no cell is left after \"exclude\"; leave out fewer", path.string());
  if (!options.tune.is_null()) sweep.tuning = read_tuning(options.tune, sweep);
  return sweep;
}

}  // namespace simmim
