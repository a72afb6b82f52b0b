#include "sweep/stale.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <string>

#include "core/names.h"
#include "runs/run_folder.h"
#include "sweep/run_state.h"

namespace simmim {
namespace {

struct Made {
  std::string id, parent;
  Json versions;
};

bool is_done(const fs::path& out, const std::string& run) { return stored_state(out, run) == RunState::done; }

// Finished runs by what they are apart from versions.
std::multimap<std::string, Made> finished_runs(const fs::path& out) {
  std::multimap<std::string, Made> made;
  std::error_code missing;
  for (const auto& folder : fs::directory_iterator(runs_folder(out), missing)) {
    if (!fs::is_regular_file(folder.path() / "config.json", missing)) continue;
    const Json config = Json::parse(read_file(folder.path() / "config.json"), nullptr, /*allow_exceptions=*/false);
    const std::string id = folder.path().filename();
    if (!config.is_object() || !config.contains("unversioned") || !is_done(out, id)) continue;
    const Json parent = config.value("parent", Json());
    made.emplace(config["unversioned"].get<std::string>(),
                 Made{id, parent.is_string() ? parent.get<std::string>() : "", config.value("versions", Json())});
  }
  return made;
}

std::string difference(const Json& then, const Json& now) {
  std::vector<std::string> parts;
  for (const auto& [part, version] : now.items())
    if (then.value(part, Json()) != version)
      parts.push_back(fmt::format("{} {}, now {}", part, then.value(part, Json()).dump(), version.dump()));
  return join(parts, "; ");
}

}  // namespace

void keep_stale_runs(Json& resolved, const fs::path& out) {
  Json& runs = resolved.at("runs");
  std::set<std::string> missing;
  for (const auto& [id, entry] : runs.items())
    if (!is_done(out, id)) missing.insert(id);
  if (missing.empty()) return;
  const auto made = finished_runs(out);
  if (made.empty()) return;
  std::set<std::string> used;
  Json kept = Json::object();
  for (Json& cell : resolved.at("cells"))
    for (Json& chain : cell.at("chains")) {
      std::map<std::string, const Made*> older;  // planned id -> the run that stands for it
      bool whole = true;
      for (const Json& member : chain.at("runs")) {
        const std::string id = member.at("id");
        if (!missing.contains(id)) continue;
        const Json& entry = runs.at(id);
        std::string parent = entry.at("parent").is_string() ? entry["parent"].get<std::string>() : "";
        if (older.contains(parent)) parent = older[parent]->id;
        const auto [begin, end] = made.equal_range(entry.value("unversioned", ""));
        for (auto it = begin; it != end; ++it)
          if (it->second.parent == parent) older[id] = &it->second;
        whole = whole && older.contains(id);
      }
      for (Json& member : chain.at("runs")) {
        const std::string id = member.at("id");
        if (const auto it = older.find(id); whole && it != older.end()) {
          Json entry = runs.at(id);
          entry["stale"] = difference(it->second->versions, entry.at("versions"));
          entry["id"] = member["id"] = it->second->id;
          entry["parent"] = it->second->parent.empty() ? Json() : Json(it->second->parent);
          entry["versions"] = it->second->versions;
          kept[it->second->id] = std::move(entry);
        } else {
          used.insert(id);
        }
      }
    }
  if (kept.empty()) return;
  for (auto it = runs.begin(); it != runs.end();) it = used.contains(it.key()) ? std::next(it) : runs.erase(it);
  runs.update(kept);
}

}  // namespace simmim
