#include "core/recipes.h"

#include <algorithm>

#include "core/error.h"
#include "core/names.h"

namespace simmim {
namespace {

std::vector<fs::path> json_files(const fs::path& folder, bool recursive) {
  std::vector<fs::path> files;
  std::error_code ignored;
  const auto take = [&](const fs::path& path) {
    if (path.extension() == ".json") files.push_back(path);
  };
  if (recursive)
    for (const auto& entry : fs::recursive_directory_iterator(folder, ignored)) take(entry.path());
  else
    for (const auto& entry : fs::directory_iterator(folder, ignored)) take(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<std::string> stems(const std::vector<fs::path>& files) {
  std::vector<std::string> names;
  for (const fs::path& file : files) names.push_back(file.stem().string());
  return names;
}

// `name` as it stands or with ".json", below `folder`.
std::optional<fs::path> file_in(const fs::path& folder, const std::string& name) {
  for (const fs::path& path : {folder / name, folder / (name + ".json")})
    if (fs::is_regular_file(path)) return path;
  return std::nullopt;
}

fs::path installed_sweeps() { return program_path().parent_path().parent_path() / "share/simmim"; }

// As find_path, of an object whose keys may be dotted themselves: {"mask.patch": 8}, {"mask": {"patch": 8}}.
const Json* find_dotted(const Json& object, const std::string& path) {
  if (!object.is_object()) return nullptr;
  if (const auto it = object.find(path); it != object.end()) return &*it;
  for (const auto& [key, value] : object.items())
    if (path.starts_with(key + "."))
      if (const Json* found = find_dotted(value, path.substr(key.size() + 1))) return found;
  return nullptr;
}

}  // namespace

fs::path program_path() {
  std::error_code ignored;
  return fs::read_symlink("/proc/self/exe", ignored);
}

std::vector<fs::path> sweep_folders() {
  const fs::path program = program_path().parent_path();
  std::vector<fs::path> folders;
  for (const fs::path& folder : {fs::path("sweeps"), program.parent_path() / "sweeps", installed_sweeps()})
    if (fs::is_directory(folder)) folders.push_back(folder);
  return folders;
}

std::vector<fs::path> known_recipes() {
  for (const fs::path& folder : sweep_folders())
    if (auto files = json_files(folder / "recipes", false); !files.empty()) return files;
  return {};
}

std::vector<fs::path> known_sweeps() {
  for (const fs::path& folder : sweep_folders()) {
    auto files = json_files(folder, true);
    std::erase_if(files, [](const fs::path& file) {  // an installed program has its golden files there too
      const fs::path within = file.parent_path().filename();
      return within == "recipes" || within == "golden";
    });
    if (!files.empty()) return files;
  }
  return {};
}

std::vector<std::string> known_sweep_names() {
  std::vector<std::string> names;
  for (const fs::path& file : known_sweeps())
    for (const fs::path& folder : sweep_folders())
      if (const fs::path name = file.lexically_relative(folder).replace_extension();
          !name.empty() && *name.begin() != "..") {
        names.push_back(name.string());
        break;
      }
  return names;
}

fs::path find_recipe(const std::string& name, const fs::path& near) {
  for (fs::path folder = near; !folder.empty(); folder = folder.parent_path()) {
    if (auto path = file_in(folder, name)) return *path;
    if (folder == folder.parent_path()) break;
  }
  if (auto path = file_in("", name)) return *path;
  for (const fs::path& folder : sweep_folders())
    for (const fs::path& place : {folder / "recipes", folder})
      if (auto path = file_in(place, name)) return *path;
  fail(Code::usage, "recipe '{}': no such file or recipe{}", name, unknown_name_hint(name, stems(known_recipes())));
}

std::optional<fs::path> sweep_file(const std::string& name) {
  if (auto path = file_in("", name)) return path;
  for (const fs::path& folder : sweep_folders())
    if (auto path = file_in(folder, name)) return path;
  std::vector<fs::path> called;  // by its file's name alone, or as tables call it
  for (const fs::path& file : known_sweeps())
    if (file.stem() == name || sweep_name(file) == name) called.push_back(file);
  return called.size() == 1 ? std::optional(called[0]) : std::nullopt;
}

fs::path find_sweep(const std::string& name) {
  if (auto path = sweep_file(name)) return *path;
  fail(Code::usage, "sweep '{}': no such file or sweep{}", name, unknown_name_hint(name, known_sweep_names()));
}

std::string sweep_name(const fs::path& file) {
  const fs::path path = fs::absolute(file).lexically_normal();
  std::string name = path.stem().string();
  for (fs::path folder = path.parent_path(); folder != folder.parent_path(); folder = folder.parent_path()) {
    if (folder.filename() != "sweeps" && folder != installed_sweeps()) continue;
    name = path.lexically_relative(folder).replace_extension().string();
    std::replace(name.begin(), name.end(), '/', '-');
    break;
  }
  return name;
}

std::optional<Json> recipe_leaf(const fs::path& file, const std::string& path) {
  fs::path next = file;
  for (int depth = 0; depth < kMaxExtends; ++depth) {
    const Json recipe = read_json_file(next);
    if (const Json* leaf = find_dotted(recipe, path)) return *leaf;
    const auto extends = recipe.find("extends");
    if (extends == recipe.end() || !extends->is_string()) return std::nullopt;
    next = find_recipe(extends->get<std::string>(), next.parent_path());
  }
  fail(Code::usage, "{}: \"extends\" goes round in a circle; break it", next.string());
}

}  // namespace simmim
