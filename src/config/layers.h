// A configuration is built of layers, lowest first: defaults, the checkpoint of --from, recipe files, a sweep's cell,
// the command line. A higher layer wins leaf by leaf; setting `name` or `preset` in a block drops what lower layers
// said of that block, because the options of another variant do not apply.
#pragma once
#include <string>
#include <vector>

#include "core/files.h"
#include "core/json.h"

namespace simmim {

struct Layer {
  std::string name;  // "sweeps/demo.json", "command line": shown where a value's origin is shown
  Json config;       // nested or with dotted keys, {"mask.patch": 4}
};

// Merges layers into one nested object. `sources` maps each leaf's dotted path to the name of the layer it came from.
struct Merged {
  Json config;
  Json sources;
};
Merged merge_layers(const std::vector<Layer>& layers);

// Lays `top` over `base` (both nested) by the rule above.
Json merge(Json base, const Json& top);

// The layers of a recipe file: what it extends first, then itself ("about" and "extends" taken out). "extends" is a
// recipe as find_recipe (core/recipes.h) finds it from the file's own folder.
std::vector<Layer> recipe_layers(const fs::path& path);

// Layers of a request to the engine: [{"name","config"}]; a config with "extends" brings its own base layers along.
std::vector<Layer> layers_of(const Json& layers);

}  // namespace simmim
