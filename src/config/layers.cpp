#include "config/layers.h"

#include <algorithm>

#include "core/error.h"
#include "core/names.h"
#include "core/recipes.h"

namespace simmim {
namespace {

// {"mask.patch": 4} -> {"mask": {"patch": 4}}; both spellings of one key in one layer are an error.
void unfold(const Json& from, Json& into, const std::string& layer) {
  for (const auto& [key, value] : from.items()) {
    const auto dot = key.find('.');
    const std::string head = key.substr(0, dot);
    if (dot != std::string::npos) {
      if (!into.contains(head)) into[head] = Json::object();
      if (!into[head].is_object()) fail(Code::usage, "{}: '{}' and '{}' cannot both be set", layer, head, key);
      unfold(Json{{key.substr(dot + 1), value}}, into[head], layer);
    } else if (value.is_object()) {
      if (!into.contains(key)) into[key] = Json::object();
      if (!into[key].is_object()) fail(Code::usage, "{}: '{}' stands twice, as a value and as an object", layer, key);
      unfold(value, into[key], layer);
    } else if (into.contains(key)) {
      fail(Code::usage, "{}: '{}' stands twice; keep one", layer, key);
    } else {
      into[key] = value;
    }
  }
}

bool names_a_variant(const Json& block) { return block.contains("name") || block.contains("preset"); }

void lay_over(Json& base, const Json& top) {
  for (const auto& [key, value] : top.items()) {
    if (value.is_object() && base.contains(key) && base[key].is_object() && !names_a_variant(value)) {
      lay_over(base[key], value);
    } else {
      base[key] = value;
    }
  }
}

}  // namespace

Json merge(Json base, const Json& top) {
  lay_over(base, top);
  return base;
}

Merged merge_layers(const std::vector<Layer>& layers) {
  Merged merged{Json::object(), Json::object()};
  for (const Layer& layer : layers) {
    if (!layer.config.is_object())
      fail(Code::usage, "{}: got {}; a configuration is one JSON object", layer.name, layer.config.dump());
    Json nested = Json::object();
    unfold(layer.config, nested, layer.name);
    lay_over(merged.config, nested);
    for (const auto& [path, value] : leaves(nested)) merged.sources[path] = layer.name;
  }
  for (auto it = merged.sources.begin(); it != merged.sources.end();)  // leaves that a higher `name` dropped
    it = find_path(merged.config, it.key()) == nullptr ? merged.sources.erase(it) : std::next(it);
  return merged;
}

std::vector<Layer> recipe_layers(const fs::path& path) {
  std::vector<Layer> layers;
  fs::path next = path;
  for (int depth = 0;; ++depth) {
    if (depth == kMaxExtends) fail(Code::usage, "{}: \"extends\" goes round in a circle; break it", next.string());
    Json config = read_json_file(next);
    if (!config.is_object()) fail(Code::usage, "{}: a recipe is one JSON object", next.string());
    const Json extends = config.value("extends", Json());
    config.erase("extends");
    config.erase("about");
    layers.insert(layers.begin(), Layer{next.string(), std::move(config)});
    if (extends.is_null()) return layers;
    if (!extends.is_string())
      fail(Code::usage, "{}: extends: got {}; allowed: the name of a file", next.string(), extends.dump());
    try {
      next = find_recipe(extends.get<std::string>(), next.parent_path());
    } catch (const Error& error) {
      fail(error.code(), "{}: extends: {}", next.string(), error.what());
    }
  }
}

std::vector<Layer> layers_of(const Json& layers) {
  std::vector<Layer> out;
  for (const Json& layer : layers) {
    const std::string name = layer.at("name");
    Json config = layer.at("config");
    if (config.is_object() && config.contains("extends"))
      for (Layer& below : recipe_layers(fs::path(name))) out.push_back(std::move(below));
    else {
      if (config.is_object()) config.erase("about");
      out.push_back({name, std::move(config)});
    }
  }
  return out;
}

}  // namespace simmim
