#include "sweep/grid.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "core/fields.h"
#include "core/names.h"
#include "core/recipes.h"
#include "runs/paper.h"
#include "sweep/blocks.h"
#include "sweep/slurm.h"
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
    visit("axes", o.axes,
          "blocks; their product is the sweep. grid: all combinations; zip: lists of equal length, step by step; "
          "cases: named sets of leaves");
    visit("when", o.when,
          "[{if, set}]: cells where all of \"if\" holds (a list: any of its values) get the leaves of \"set\"");
    visit("exclude", o.exclude, "[{leaf: value or list}]: cells to leave out, after \"when\"");
    visit("seeds", o.seeds, "how many, or a list; each is a whole chain with a pre-training of its own");
    visit("finetune_seeds", o.finetune_seeds,
          "fine-tunings of each pre-training, averaged first and not counted in n: how many, or a list");
    visit("tune", o.tune,
          "{leaf: [values], by, seeds}: every cell tries these on seeds of its own and keeps the best by validation");
    visit("stop_if", o.stop_if, "when a run is given up (this machine only)");
    visit("stages", o.stages, "the chain", FieldRule{.choices = {"pretrain", "finetune", "probe"}});
    visit("resources", o.resources, "what a run gets; runs_per_gpu too, on this machine");
    visit("table", o.table,
          "{rows, columns, groups: leaves; value: finetune.val.top1 for example; baseline: leaves or a cell}");
    visit("paper", o.paper, "the paper's table that stands beside ours (simmim list tables)");
  }
};

// One entry of "when" or "exclude".
struct Rule {
  std::string where;
  Json condition, set;  // dotted leaf -> value (a list: any of its values); set: null for "exclude"
  bool matches_any = false;
};

bool matches(const Cell& cell, const SweepFile& sweep, const Json& condition) {
  for (const auto& [key, wanted] : condition.items()) {
    const std::string got = canonical(cell_leaf(cell, sweep, key));
    const Json any = wanted.is_array() ? wanted : Json::array({wanted});
    if (std::none_of(any.begin(), any.end(), [&](const Json& value) { return canonical(value) == got; })) return false;
  }
  return true;
}

Rule read_when(const Json& rule, const std::string& where) {
  for (const auto& [key, value] : object_at(rule, where).items())
    if (key != "if" && key != "set")
      fail(Code::usage, "{}.{}: unknown key{}", where, key, unknown_name_hint(key, {"if", "set"}));
  if (!rule.contains("if") || !rule.contains("set")) fail(Code::usage, "{}: needs both \"if\" and \"set\"", where);
  return {where + ".if", dotted(rule["if"], where + ".if"), dotted(rule["set"], where + ".set")};
}

// A leaf that no layer below the condition names would never match.
void check_condition(const Rule& rule, const SweepFile& sweep, const std::set<std::string>& named) {
  for (const auto& [key, wanted] : rule.condition.items())
    if (!named.contains(key) && (sweep.base.empty() || !recipe_leaf(sweep.base, key)))
      fail(Code::usage,
           "{}.{}: no axis, case or \"set\" of this sweep names it, nor its recipe, so it can match nothing{}",
           rule.where, key, unknown_name_hint(key, {named.begin(), named.end()}));
}

void apply(const Rule& rule, Cell& cell) {
  for (const auto& [key, value] : rule.set.items()) {
    cell.set[key] = value;
    if (cell.values.contains(key)) cell.values[key] = value;
  }
}

std::vector<Cell> product_of(const std::vector<Block>& blocks) {
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
  return cells;
}

// The product of the blocks after "when", "exclude" and duplicates. Adds to the sweep's warnings.
std::vector<Cell> expand(std::vector<Rule> when, std::vector<Rule> exclude, const std::vector<Block>& blocks,
                         SweepFile& sweep) {
  std::vector<Cell> cells = product_of(blocks), kept;
  std::set<std::string> named, seen;
  const auto name_all = [&](const Json& object) {
    for (const auto& [key, value] : object.items()) named.insert(key);
  };
  for (const Cell& cell : cells) name_all(cell.values), name_all(cell.set);
  name_all(sweep.set);
  for (const Rule& rule : when) name_all(rule.set);
  for (const auto* rules : {&when, &exclude})
    for (const Rule& rule : *rules) check_condition(rule, sweep, named);
  for (Cell& cell : cells) {
    for (Rule& rule : when)
      if (matches(cell, sweep, rule.condition)) apply(rule, cell), rule.matches_any = true;
    bool excluded = false;
    for (Rule& rule : exclude)
      if (matches(cell, sweep, rule.condition)) excluded = rule.matches_any = true;
    if (excluded || !seen.insert(canonical(cell.set)).second) continue;
    cell.name = cell_name(cell.values);
    kept.push_back(std::move(cell));
  }
  for (const auto* rules : {&when, &exclude})
    for (const Rule& rule : *rules)
      if (!rule.matches_any) sweep.warnings.push_back(rule.where + ": matches no cell, so it changes nothing");
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

std::vector<FieldDescription> sweep_file_fields() {
  std::vector<FieldDescription> fields = describe_fields<SweepOptions>();
  for (FieldDescription& field : stop_if_fields()) fields.push_back(std::move(field));
  for (FieldDescription& field : describe_fields<SlurmResources>({}, "resources.")) fields.push_back(std::move(field));
  return fields;
}

SweepFile read_sweep(const fs::path& path) {
  SweepOptions options;
  read_fields(options, read_json_file(path), "sweep");
  SweepFile sweep{.path = path, .name = sweep_name(path), .about = options.about, .paper = options.paper};
  if (!options.base.empty()) sweep.base = find_recipe(options.base, fs::absolute(path).parent_path());
  sweep.set = dotted(options.set, "sweep.set");
  sweep.stages = options.stages;
  check_resources(sweep.resources = options.resources, "sweep.resources");
  sweep.table = object_at(options.table, "sweep.table");
  sweep.seeds = read_seeds(options.seeds, "sweep.seeds");
  sweep.finetune_seeds = read_seeds(options.finetune_seeds, "sweep.finetune_seeds");
  if (sweep.seeds.empty()) fail(Code::usage, "sweep.seeds: no seed; give at least one");
  if (sweep.stages.empty()) fail(Code::usage, "sweep.stages: no stage; give at least one");
  if (!options.stop_if.is_null()) check_stop_if(sweep.stop_if = options.stop_if);
  if (!sweep.paper.empty() && find_paper_table(sweep.paper) == nullptr) {
    std::vector<std::string> tables;
    for (const PaperTable& table : paper_tables()) tables.push_back(table.name);
    fail(Code::usage, "sweep.paper: no table of the paper is called {}{}", sweep.paper,
         unknown_name_hint(sweep.paper, tables));
  }
  std::vector<Rule> when, exclude;
  for (size_t i = 0; i < list_at(options.when, "sweep.when").size(); ++i)
    when.push_back(read_when(options.when[i], fmt::format("sweep.when[{}]", i)));
  for (size_t i = 0; i < list_at(options.exclude, "sweep.exclude").size(); ++i) {
    const std::string where = fmt::format("sweep.exclude[{}]", i);
    exclude.push_back({where, dotted(options.exclude[i], where), nullptr});
  }
  std::vector<Block> blocks;
  for (size_t i = 0; i < list_at(options.axes, "sweep.axes").size(); ++i)
    add_block(blocks, read_block(options.axes[i], fmt::format("sweep.axes[{}]", i)));
  for (const Block& block : blocks) {
    sweep.axes.insert(sweep.axes.end(), block.axes.begin(), block.axes.end());
    if (block.axes[0].starts_with("case"))
      for (const Point& point : block.points) sweep.cases[short_text(point.values.at(block.axes[0]))] = point.set;
  }
  sweep.cells = expand(std::move(when), std::move(exclude), blocks, sweep);
  if (sweep.cells.empty()) fail(Code::usage, "{}: no cell is left after \"exclude\"; leave out fewer", path.string());
  if (!options.tune.is_null()) sweep.tuning = read_tuning(options.tune, sweep);
  return sweep;
}

}  // namespace simmim
