#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/document.h"
#include "cli/schema.h"
#include "cli/terminal.h"
#include "core/error.h"
#include "core/names.h"
#include "core/recipes.h"
#include "runs/paper.h"
#include "runs/run_folder.h"

namespace simmim {
namespace {

Json named(const std::vector<std::pair<std::string, std::string>>& rows) {
  Json out = Json::array();
  for (const auto& [name, help] : rows) out.push_back({{"name", name}, {"about", help}});
  return out;
}

// The schema's plain lists: names, or objects with name and help.
Json from_schema(const char* key) {
  Json out = Json::array();
  for (const Json& entry : schema().value(key, Json::array()))
    out.push_back(entry.is_object() ? entry : Json{{"name", entry}});
  return out;
}

// {"name": "vit_nano", "block": {...}} as one row each: "encoder.preset=vit_nano" and its sizes.
Json presets() {
  Json out = Json::array();
  for (const Json& preset : schema().value("presets", Json::array())) {
    Json row = {{"name", preset.at("name")}};
    for (const char* key : {"patch", "dim", "depth", "depths", "heads", "window"})
      if (preset.at("block").contains(key))
        row[std::string_view(key) == "depths" ? "depth" : key] = preset["block"][key];
    out.push_back(std::move(row));
  }
  return out;
}

Json files(const std::vector<fs::path>& paths) {
  Json out = Json::array();
  for (const fs::path& path : paths) {
    const Json content = read_json_file(path);
    const std::string about = content.is_object() ? content.value("about", "") : "";
    out.push_back(
        {{"name", path.stem().string()}, {"file", path.string()}, {"about", about.substr(0, about.find('\n'))}});
  }
  return out;
}

Json sections(const std::string& what, const CommonOptions& common) {
  if (what == "encoders") return presets();
  if (what == "heads") return named(variants_of("head"));
  if (what == "masks") return named(variants_of("mask"));
  if (what == "targets") return named(variants_of("target"));
  if (what == "losses") return named(variants_of("loss"));
  if (what == "datasets") return from_schema("datasets");
  if (what == "recipes") return files(known_recipes());
  if (what == "sweeps") return files(known_sweeps());
  Json tables = Json::array();
  for (const PaperTable& table : paper_tables()) tables.push_back({{"name", table.name}, {"about", table.title}});
  for (const std::string& name : sweep_names(common.out))
    tables.push_back({{"name", name}, {"about", "a sweep in " + common.out}});
  return tables;
}

}  // namespace

Command list_command() {
  return {"list", "Program", "encoders, heads, masks, targets, losses, datasets, recipes, sweeps, tables",
          [](Args& args) {
            static const std::vector<std::string> kinds = {"encoders", "heads",   "masks",  "targets", "losses",
                                                           "datasets", "recipes", "sweeps", "tables"};
            auto what = std::make_shared<std::string>();
            args.example("simmim list heads");
            args.positional("WHAT", *what, "which list; without it everything", kinds);
            return [what, common = args.shared_common()] {
              if (!what->empty() && std::find(kinds.begin(), kinds.end(), *what) == kinds.end())
                fail(Code::usage, "list: unknown list '{}'{}", *what, unknown_name_hint(*what, kinds));
              Json document = Json::object();
              for (const std::string& kind : kinds)
                if (what->empty() || kind == *what) document[kind] = sections(kind, *common);
              print_document(what->empty() ? document : document[*what], common->json);
              std::fflush(stdout);
              hint(*common, "simmim pretrain --help");
              return 0;
            };
          }};
}

}  // namespace simmim
