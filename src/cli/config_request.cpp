#include "cli/config_request.h"

#include "core/error.h"
#include "core/recipes.h"

namespace simmim {

Overrides read_overrides(const std::vector<std::string>& words) {
  Overrides overrides;
  for (const std::string& word : words) overrides.push_back(parse_override(word));
  return overrides;
}

Json config_layers(const std::string& command, const ConfigWords& words) {
  if (words.plain.size() > 1)
    fail(Code::usage, "{}: '{}' is neither the one recipe nor key=value; see simmim {} --help", command, words.plain[1],
         command);
  Json layers = Json::array();
  if (!words.plain.empty()) layers.push_back(recipe_layer(find_recipe(words.plain[0])));
  if (!words.overrides.empty()) layers.push_back(override_layer("command line", read_overrides(words.overrides)));
  return layers;
}

Json config_request(const std::string& engine_command, const Json& layers, const CommonOptions& common) {
  return {{"command", engine_command}, {"layers", layers}, {"out", common.out}, {"db", common.database().string()}};
}

}  // namespace simmim
