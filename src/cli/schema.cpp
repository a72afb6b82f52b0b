#include "cli/schema.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/names.h"

namespace simmim {
namespace {

std::string text_at(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it == object.end() || it->is_null() ? "" : it->is_string() ? it->get<std::string>() : it->dump();
}

void add_keys(std::vector<KeyHelp>& keys, const std::string& section, const std::string& variant, const Json& options) {
  for (const Json& option : options) {
    const std::string name = text_at(option, "name");
    keys.push_back({section.empty() ? name : section + "." + name, text_at(option, "type"), text_at(option, "help"),
                    text_at(option, "allowed"), variant, option.value("default", Json())});
  }
}

}  // namespace

const Json& schema() {
  static const Json parsed = Json::parse(kSchemaJson);
  return parsed;
}

std::vector<KeyHelp> all_keys() {
  std::vector<KeyHelp> keys;
  add_keys(keys, "", "", schema().value("top", Json::array()));
  for (const Json& section : schema().value("sections", Json::array())) {
    const std::string name = text_at(section, "section");
    if (section.contains("variants")) {
      std::vector<std::string> names;
      for (const Json& variant : section["variants"]) names.push_back(text_at(variant, "name"));
      keys.push_back({name + ".name", "text", "which one", one_of(names), "", Json()});
      for (const Json& variant : section["variants"])
        add_keys(keys, name, text_at(variant, "name"), variant.value("options", Json::array()));
    }
    if (section.contains("options")) add_keys(keys, name, "", section["options"]);
  }
  return keys;
}

namespace {

// One line of --help.
std::string help_line(const KeyHelp& key) {
  std::string about = key.help;
  if (!key.allowed.empty())
    about += "; " + key.allowed;
  else if (!key.type.empty())
    about += "; " + key.type;
  if (!key.default_value.is_null() && key.default_value != "")
    about += " (default " +
             (key.default_value.is_string() ? key.default_value.get<std::string>() : key.default_value.dump()) + ")";
  return fmt::format("  {}{:<28}  {}\n", key.variant.empty() ? "" : "  ", key.key, about);
}

std::string section_of(const KeyHelp& key) { return key.key.substr(0, key.key.find('.')); }

}  // namespace

std::string section_options_text(const std::vector<std::string>& sections) {
  std::string text = "Keys of the configuration (key=value):\n", variant;
  for (const KeyHelp& key : all_keys()) {
    const std::string section = section_of(key);
    if (std::find(sections.begin(), sections.end(), section) == sections.end()) continue;
    if (!key.variant.empty() && key.variant != variant)
      text += fmt::format("  with {}.name={}:\n", section, key.variant);
    variant = key.variant;
    text += help_line(key);
  }
  return text;
}

std::string stage_options_text(const std::string& stage) {
  std::vector<std::string> sections = {"seed", "device", "precision", "data", "encoder", stage};
  if (stage == "pretrain") sections.insert(sections.end(), {"method", "mask", "head", "target", "loss"});
  return section_options_text(sections);
}

std::vector<std::pair<std::string, std::string>> variants_of(const std::string& section) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const Json& entry : schema().value("sections", Json::array()))
    if (text_at(entry, "section") == section)
      for (const Json& variant : entry.value("variants", Json::array()))
        out.emplace_back(text_at(variant, "name"), text_at(variant, "help"));
  return out;
}

}  // namespace simmim
