#include "config/run_id.h"

#include "config/sections.h"
#include "core/hash.h"

namespace simmim {
namespace {

constexpr size_t kIdDigits = 12;

struct Part {
  const char* name;
  int version;
  bool pretrain, finetune, probe;  // which stages use it
};
constexpr Part kParts[] = {
    {"data", 1, true, true, true},       {"encoders", 1, true, true, true},   {"masks", 1, true, false, false},
    {"heads", 1, true, false, false},    {"targets", 1, true, false, false},  {"losses", 1, true, false, false},
    {"optimizer", 1, true, true, false}, {"pretrain", 1, true, false, false}, {"finetune", 1, false, true, false},
    {"probe", 1, false, false, true},
};

// Blockwise masks whose smallest rectangle was as the grid has it although fewer cells are hidden, or one may add
// fewer: they are others since it follows these. The grid's is a ninth of the cells and 16 at most.
bool has_lowered_blocks(const Json& config) {
  const Json mask = config.value("mask", Json::object());
  if (mask.value("name", "") != "blockwise" || mask.value("min_block", Json()).is_number()) return false;
  const Json most = mask.value("max_block", Json());
  return mask.value("ratio", 1.0) < 1.0 / 9 || (most.is_number() && most.get<double>() < 16);
}

std::string id_of(const Json& determined) { return hash_hex(canonical(determined)).substr(0, kIdDigits); }

}  // namespace

Json result_versions(const Json& stage_config) {
  const std::string stage = stage_config.at("stage");
  Json versions = Json::object();
  for (const Part& part : kParts)
    if ((stage == "pretrain" && part.pretrain) || (stage == "finetune" && part.finetune) ||
        (stage == "probe" && part.probe))
      versions[part.name] = part.version;
  if (versions.contains("masks") && has_lowered_blocks(stage_config)) versions["masks"] = 2;
  // Version 1 also evaluated in bf16, on some processors; the precision is training's.
  if (stage_config.value("precision", "") == "bf16") versions["encoders"] = 2;
  return versions;
}

Json essential(const Json& stage_config) {
  Json out = Json::object();
  for (const std::string key : {"stage", "seed", "precision"})
    if (stage_config.contains(key)) out[key] = stage_config[key];
  for (const std::string& section : section_names()) {
    if (!stage_config.contains(section)) continue;
    const Json& block = stage_config[section];
    if (block.contains("name")) out[section]["name"] = block["name"];
    for (const FieldDescription& field : describe_section(section, block)) {
      const Json* value = find_path(block, field.name);
      if (value != nullptr && names_file(field.rule, *value)) continue;  // it stands in `files`, by content
      if (value != nullptr && field.rule.in_id && canonical(*value) != canonical(field.default_value))
        set_path(out[section], field.name, *value);
    }
  }
  // Two stages may name their origin differently ("pretrain", a run's id); the parent's id says it all.
  for (const std::string stage : {"finetune", "probe"}) {
    if (!out.contains(stage)) continue;
    out[stage].erase("from");
    if (out[stage].empty()) out.erase(stage);
  }
  return out;
}

std::string run_id(const Json& stage_config, const std::string& parent, const std::string& fingerprint,
                   const std::map<std::string, std::string>& files) {
  return id_of({{"config", essential(stage_config)},
                {"parent", parent},
                {"data", fingerprint},
                {"files", files},
                {"versions", result_versions(stage_config)}});
}

std::string unversioned_id(const Json& stage_config, const std::string& parent, const std::string& fingerprint,
                           const std::map<std::string, std::string>& files) {
  return id_of({{"config", essential(stage_config)}, {"parent", parent}, {"data", fingerprint}, {"files", files}});
}

}  // namespace simmim
