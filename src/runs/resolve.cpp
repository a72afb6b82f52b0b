// Names of runs as people type them -> run ids.
#include <algorithm>
#include <set>

#include "core/error.h"
#include "core/names.h"
#include "runs/run_folder.h"

namespace simmim {
namespace {

std::vector<std::string> folder_names(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code missing;
  for (const auto& entry : fs::directory_iterator(folder, missing))  // hidden: locks, copies that are being made
    if (const std::string name = entry.path().filename(); !name.starts_with('.')) names.push_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

std::string kind_of(const fs::path& out, const std::string& id) {
  return read_record(run_path(out, id)).value("kind", "");
}

std::string list_of(std::vector<std::string> names) {
  const size_t all = names.size();
  if (all > 8) names.resize(8);
  return join(names, ", ") + (all > 8 ? fmt::format(" and {} more", all - 8) : "");
}

std::string latest_run(const fs::path& out, const std::string& kind) {
  std::string best;
  fs::file_time_type best_time{};
  for (const std::string& id : folder_names(runs_folder(out))) {
    std::error_code missing;
    const auto time = fs::last_write_time(run_path(out, id) / "run.json", missing);
    if (missing || (!best.empty() && time <= best_time) || (!kind.empty() && kind_of(out, id) != kind)) continue;
    best = id, best_time = time;
  }
  if (best.empty())
    fail(Code::usage, "latest: {} has no {}run yet; start one with `simmim pretrain`", runs_folder(out).string(),
         kind.empty() ? "" : kind + " ");
  return best;
}

std::string run_of_cell(const fs::path& out, const std::string& sweep, const std::string& cell,
                        const std::string& kind) {
  const auto plan = read_plan(out, sweep);
  if (!plan)
    fail(Code::usage, "{}: no such sweep in {}{}", sweep, sweeps_folder(out).string(),
         unknown_name_hint(sweep, sweep_names(out)));
  std::string stage = kind;
  std::optional<std::string> seed;
  std::set<std::string> wanted;
  for (const std::string& token : split(cell, ' ')) {
    if (token.starts_with("seed="))
      seed = token.substr(5);
    else if (token.starts_with("stage="))
      stage = token.substr(6);
    else if (!token.empty())
      wanted.insert(token);
  }
  std::vector<const Json*> found;
  std::vector<std::string> names, all;
  for (const Json& entry : plan->at("cells")) {
    const std::string name = entry.value("cell", "");
    all.push_back(name);
    const auto parts = split(name, ' ');
    const std::set<std::string> tokens(parts.begin(), parts.end());
    if (!std::includes(tokens.begin(), tokens.end(), wanted.begin(), wanted.end()) && name != cell) continue;
    if (name == cell || tokens == wanted) {
      found = {&entry}, names = {name};
      break;
    }
    found.push_back(&entry), names.push_back(name);
  }
  if (found.empty()) fail(Code::usage, "{}:{}: the sweep has no such cell; cells: {}", sweep, cell, list_of(all));
  if (found.size() > 1)
    fail(Code::usage, "{}:{}: fits {} cells: {}; name one", sweep, cell, found.size(), list_of(names));
  for (const Json& chain : found[0]->at("chains")) {
    if (seed && number_text(chain.value("seed", 0.0)) != *seed) continue;
    std::string id;
    for (const Json& run : chain.at("runs"))
      if (stage.empty() || run.value("stage", "") == stage) id = run.value("id", "");
    if (!id.empty()) return id;
  }
  fail(Code::usage, "{}:{}: the cell has no such run; leave out seed= and stage=, or see `simmim status {}`", sweep,
       cell, sweep);
}

}  // namespace

std::vector<std::string> sweep_names(const fs::path& out) { return folder_names(sweeps_folder(out)); }

std::optional<Json> read_plan(const fs::path& out, const std::string& sweep) {
  int64_t newest = -1;
  for (const std::string& name : folder_names(sweeps_folder(out) / sweep))
    if (name.starts_with("plan-") && name.ends_with(".json"))
      newest = std::max<int64_t>(newest, std::atoll(name.c_str() + 5));
  if (newest < 0) return std::nullopt;
  return read_json_file(sweeps_folder(out) / sweep / fmt::format("plan-{}.json", newest));
}

std::string resolve_run(const fs::path& out, const std::string& text, const std::string& kind) {
  if (text == "latest") return latest_run(out, kind);
  if (const auto colon = text.find(':'); colon != std::string::npos)
    return run_of_cell(out, text.substr(0, colon), text.substr(colon + 1), kind);
  std::vector<std::string> matches;
  const std::vector<std::string> all = folder_names(runs_folder(out));
  for (const std::string& id : all) {
    if (id == text) return id;
    if (!text.empty() && id.starts_with(text)) matches.push_back(id);
  }
  if (matches.size() > 1 && !kind.empty())
    std::erase_if(matches, [&](const auto& id) { return kind_of(out, id) != kind; });
  if (matches.size() == 1) return matches[0];
  if (matches.empty())
    fail(Code::usage,
         "'{}': no run of {} has this id; give an id, a prefix of one, `latest` or SWEEP:cell; see `simmim runs`", text,
         runs_folder(out).string());
  fail(Code::usage, "'{}': {} runs begin so: {}; give more digits", text, matches.size(), list_of(matches));
}

}  // namespace simmim
