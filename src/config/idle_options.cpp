#include "config/idle_options.h"

#include "config/sections.h"
#include "core/error.h"

namespace simmim {
namespace {

struct Rule {
  std::string option, choice, value;  // the option has an effect only where the choice has the value
};

bool is_default(const Json& config, const std::string& path, const Json& value) {
  const auto dot = path.find('.');
  const std::string section = path.substr(0, dot), name = path.substr(dot + 1);
  for (const FieldDescription& field : describe_section(section, config.at(section)))
    if (field.name == name) return canonical(value) == canonical(field.default_value);
  return false;
}

}  // namespace

void refuse_idle_options(const Json& config, const Merged& merged, const std::vector<Layer>& layers) {
  const std::string stage = config.at("stage");
  const auto rank = [&](const std::string& path) {  // the layer that says it, -1: none of them
    const std::string name = merged.sources.value(path, "");
    for (size_t i = layers.size(); i-- > 0;)
      if (layers[i].name == name) return static_cast<int64_t>(i);
    return int64_t{-1};
  };
  const Rule rules[] = {{stage + ".milestones", stage + ".schedule", "multi_step"},
                        {stage + ".gamma", stage + ".schedule", "multi_step"},
                        {"target.patch", "target.normalise", "patch"},
                        {"target.window", "target.normalise", "window"},
                        {"loss.partial", "loss.area", "masked"}};
  for (const Rule& rule : rules) {
    const Json *value = find_path(config, rule.option), *chosen = find_path(config, rule.choice);
    const int64_t given = rank(rule.option);
    if (value == nullptr || chosen == nullptr || *chosen == rule.value || given < 0 || given < rank(rule.choice) ||
        is_default(config, rule.option, *value))
      continue;
    fail(Code::usage, "{}: {} has no effect with {}={}; leave it out, or set {}={}", rule.option, value->dump(),
         rule.choice, chosen->get<std::string>(), rule.choice, rule.value);
  }
}

}  // namespace simmim
