// Where recipes and sweeps are found: by path, or by bare name in the folders that come with the program.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"

namespace simmim {

namespace fs = std::filesystem;

fs::path program_path();                // the running executable
std::vector<fs::path> sweep_folders();  // where sweeps/ may lie: here, beside the build folder, in share/simmim

// A recipe by path or bare name ("fashion_mnist_vit"); `near` is searched first (the folder of the sweep that names it,
// and the folders above it). Code::usage with the known names if there is none.
fs::path find_recipe(const std::string& name, const fs::path& near = {});
// A sweep by path, by its place below sweeps/ ("small/masks"), as tables call it ("small-masks"), or by its file's name
// alone where that is unique ("masks").
std::optional<fs::path> sweep_file(const std::string& name);
fs::path find_sweep(const std::string& name);  // Code::usage with the known names if there is none
std::vector<fs::path> known_recipes();
std::vector<fs::path> known_sweeps();
std::vector<std::string> known_sweep_names();  // as find_sweep takes them: "small/masks"

// A sweep's name: its path below sweeps/ without the suffix, folders joined by '-' ("small-heads"), so that files of
// one name in two folders do not meet. share/simmim of an installed program is its sweeps/.
std::string sweep_name(const fs::path& file);

inline constexpr int kMaxExtends = 20;  // files that extend one another; more is a circle

// The leaf of a recipe file, whose keys may be dotted, or of what it extends. nullopt: neither names it. Code::usage
// for files that extend one another in a circle.
std::optional<Json> recipe_leaf(const fs::path& file, const std::string& path);

}  // namespace simmim
