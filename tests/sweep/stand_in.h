// A sweep without the engine, for the tests of sweep/.
#pragma once
#include "core/hash.h"
#include "sweep/plan.h"

namespace simmim {

// A stand-in for the engine: ids from what the stages would use, no pre-training from scratch, mask.patch 5 refused.
inline std::vector<Json> resolve(const std::vector<Json>& requests) {
  std::vector<Json> answers;
  for (const Json& request : requests) {
    Json config = {{"seed", 0}};
    for (const Json& layer : request["layers"]) config.merge_patch(layer["config"]);
    if (const Json* patch = find_path(config, "mask.patch"); patch && *patch == 5) {
      answers.push_back({{"error", "mask.patch: 5 does not divide image 32; use 4 or 8"}});
      continue;
    }
    const Json finetune = config.value("finetune", Json::object());
    const bool scratch = finetune.value("from", "") == "scratch";
    Json stages = Json::array();
    std::string parent;
    for (const Json& kind : request["stages"]) {
      if (kind == "pretrain" && scratch) continue;
      Json used = {kind, config["seed"], parent};
      used.push_back(kind == "pretrain" ? config.value("mask", Json::object()) : finetune);
      const std::string id = hash_hex(used.dump()).substr(0, 8);
      stages.push_back({{"kind", kind},
                        {"id", id},
                        {"parent", parent.empty() ? Json(nullptr) : Json(parent)},
                        {"config", config},
                        {"plan", {{"images", 100}, {"steps", 10}}}});
      parent = id;
    }
    answers.push_back({{"stages", stages}, {"warnings", Json::array()}});
  }
  return answers;
}

inline SweepFile sweep_of(std::vector<Cell> cells, std::vector<int64_t> seeds = {0}) {
  for (Cell& cell : cells) cell.name = cell_name(cell.values);
  return {.path = "sweeps/t.json",
          .name = "t",
          .axes = {"mask.patch"},
          .cells = std::move(cells),
          .seeds = std::move(seeds),
          .stages = {"pretrain", "finetune"}};
}
inline Cell cell(const Json& values) { return {.values = values, .set = values}; }

}  // namespace simmim
