#include "config/sections.h"

#include "config/dvae.h"
#include "core/names.h"
#include "data/dataset.h"
#include "encoders/encoders.h"
#include "heads/heads.h"
#include "losses/losses.h"
#include "masks/mask.h"
#include "targets/targets.h"

namespace simmim {
namespace {

// What the four families without presets have in common, whatever they build.
struct Row {
  std::string name, help;
  std::function<std::vector<FieldDescription>()> describe;
  std::function<Json(const Json&, const std::string&)> resolve;
};

template <class Family>
std::vector<Row> rows_of(const Family& family) {
  std::vector<Row> rows;
  for (const auto& row : family) rows.push_back({row.name, row.help, row.describe, row.resolve});
  return rows;
}

// Section -> its variants; the first row of a family is its default.
std::vector<Row> variants(const std::string& section) {
  if (section == "encoder") return rows_of(encoders());
  if (section == "mask") return rows_of(masks());
  if (section == "head") return rows_of(heads());
  if (section == "target") return rows_of(targets());
  if (section == "loss") return rows_of(losses());
  return {};
}

// Sections without variants.
std::vector<FieldDescription> plain_section(const std::string& section) {
  if (section == "data") return describe_fields<DataOptions>();
  if (section == "method") return describe_fields<MethodOptions>();
  if (section == "pretrain") return describe_fields<PretrainOptions>();
  if (section == "finetune") return describe_fields<FinetuneOptions>();
  if (section == "probe") return describe_fields<ProbeOptions>();
  if (section == "dvae") return describe_fields<DvaeOptions>();
  SIMMIM_CHECK(false, "no section {}", section);
}

Json describe(const std::vector<FieldDescription>& fields) {
  Json out = Json::array();
  for (FieldDescription field : fields) {
    if (field.type == "object") field.type = "text, number or list";  // of free form, as its help says
    out.push_back({{"name", field.name},
                   {"type", field.type},
                   {"help", field.help},
                   {"default", field.default_value},
                   {"allowed", fields_detail::allowed_text(field.type, field.rule)},
                   {"in_id", field.rule.in_id}});
  }
  return out;
}

}  // namespace

const std::vector<std::string>& section_names() {
  static const std::vector<std::string> names = {"method", "data",     "encoder",  "mask",  "head", "target",
                                                 "loss",   "pretrain", "finetune", "probe", "dvae"};
  return names;
}

std::vector<FieldDescription> describe_section(const std::string& section, const Json& block) {
  const std::vector<Row> rows = variants(section);
  return rows.empty() ? plain_section(section) : find_variant(rows, block, section).describe();
}

Json resolve_variant(const std::string& section, const Json& block) {
  const std::vector<Row> rows = variants(section);
  Json named = {{"name", rows.front().name}};
  named.update(block);
  return find_variant(rows, named, section).resolve(named, section);
}

void check_sections(const Json& config) {
  std::vector<std::string> known = {"seed", "device", "precision"};
  known.insert(known.end(), section_names().begin(), section_names().end());
  for (const auto& [key, value] : config.items()) {
    if (std::find(known.begin(), known.end(), key) == known.end())
      fail(Code::usage, "{}: unknown key{}", key, unknown_name_hint(key, known));
    const bool section = std::find(section_names().begin(), section_names().end(), key) != section_names().end();
    if (section && !value.is_object())
      fail(Code::usage, "{}: got {}; allowed: an object, for example {}.name=NAME", key, value.dump(), key);
  }
}

Json describe_schema() {
  Json out = {{"top", describe(describe_fields<TopOptions>())}, {"sections", Json::array()}};
  for (const std::string& section : section_names()) {
    Json entry = {{"section", section}};
    if (const std::vector<Row> rows = variants(section); rows.empty()) {
      entry["options"] = describe(plain_section(section));
    } else {
      for (const Row& row : rows)
        entry["variants"].push_back({{"name", row.name}, {"help", row.help}, {"options", describe(row.describe())}});
    }
    out["sections"].push_back(std::move(entry));
  }
  for (const auto& [name, block] : presets()) out["presets"].push_back({{"name", name}, {"block", block}});
  for (const DatasetRow& row : datasets())
    out["datasets"].push_back({{"name", row.name},
                               {"help", row.help},
                               {"classes", row.classes},
                               {"train_images", row.train_images},
                               {"test_images", row.test_images},
                               {"side", row.side}});
  return out;
}

}  // namespace simmim
