// Every option of the configuration, as the engine printed it during the build: for --help, list and completion, which
// must not load the engine.
//   {"top": [options without a section], "sections": [{"section": "mask", "variants": [{"name", "help", "options":
//   [{"name", "type", "help", "default",
//     "allowed"}]}]}, {"section": "pretrain", "options": [...]}], "presets": [...], "datasets": [...]}
#pragma once
#include <string>
#include <vector>

#include "core/json.h"

namespace simmim {

extern const char* const kSchemaJson;  // build/schema.cpp, written by simmim-schema

const Json& schema();  // parsed once

// A dotted key of the configuration with what it may be: "mask.ratio".
struct KeyHelp {
  std::string key, type, help, allowed, variant;  // variant: of which one it is an option; "" = the section's own
  Json default_value;
};
std::vector<KeyHelp> all_keys();

// The keys that a stage reads, for the end of its --help.
std::string stage_options_text(const std::string& stage);

// The keys of the sections that a command reads, for the same place.
std::string section_options_text(const std::vector<std::string>& sections);

// {name, help} of each variant of a section ("head").
std::vector<std::pair<std::string, std::string>> variants_of(const std::string& section);

}  // namespace simmim
