#include "sweep/slurm.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "core/process.h"
#include "sweep/plan.h"

namespace simmim {
namespace {

// Where a run's parent is: the array (name or job number) and the index; "" if it is done.
struct Place {
  std::string array;
  int64_t index = 0;
};

class Arranger {
 public:
  Arranger(const Json& plan, const std::map<std::string, SlurmElement>& queued, int64_t max_size)
      : plan_(plan), max_size_(max_size) {
    for (const auto& [run, element] : queued) places_[run] = {element.job, element.index};
  }

  // One generation: runs whose parents are placed already.
  void add(const std::vector<std::string>& runs) {
    std::map<std::pair<std::string, std::string>, std::vector<std::string>> families;  // (kind, parents' array)
    std::vector<std::pair<std::string, std::string>> order;
    for (const std::string& run : runs) {
      const std::pair key{plan_.at("runs").at(run).at("kind").get<std::string>(), parent_place(run).array};
      if (!families.contains(key)) order.push_back(key);
      families[key].push_back(run);
    }
    for (const auto& key : order) add_family(key.first, key.second, families[key]);
  }

  std::vector<SlurmArray> take() { return std::move(arrays_); }

 private:
  Place parent_place(const std::string& run) const {
    const auto it = places_.find(parent_of(plan_, run));
    return it == places_.end() ? Place{} : it->second;
  }

  void add_family(const std::string& kind, const std::string& after, const std::vector<std::string>& runs) {
    if (after.empty()) return add_in_pieces({.name = kind}, runs);
    std::map<int64_t, std::vector<std::string>> children;  // by the parent's index
    size_t most = 0;
    for (const std::string& run : runs) {
      std::vector<std::string>& siblings = children[parent_place(run).index];
      siblings.push_back(run);
      most = std::max(most, siblings.size());
    }
    if (most > children.size()) {
      for (const auto& [index, siblings] : children)
        add_in_pieces({.name = kind, .after = after, .element = index}, siblings);
      return;
    }
    for (size_t rank = 0; rank < most; ++rank) {
      SlurmArray array{.name = kind, .after = after};
      for (const auto& [index, siblings] : children)
        if (rank < siblings.size()) array.rows[index] = siblings[rank];
      add_array(std::move(array));
    }
  }

  void add_in_pieces(const SlurmArray& pattern, const std::vector<std::string>& runs) {
    for (size_t begin = 0; begin < runs.size(); begin += static_cast<size_t>(max_size_)) {
      SlurmArray array = pattern;
      const size_t end = std::min(runs.size(), begin + static_cast<size_t>(max_size_));
      for (size_t i = begin; i < end; ++i) array.rows[static_cast<int64_t>(i - begin)] = runs[i];
      add_array(std::move(array));
    }
  }

  void add_array(SlurmArray array) {
    if (const int count = ++named_[array.name]; count > 1) array.name += fmt::format("-{}", count);
    for (const auto& [index, run] : array.rows) places_[run] = {array.name, index};
    arrays_.push_back(std::move(array));
  }

  const Json& plan_;
  int64_t max_size_;
  std::map<std::string, Place> places_;
  std::map<std::string, int> named_;
  std::vector<SlurmArray> arrays_;
};

// "0-3,7"
std::string index_text(const std::map<int64_t, std::string>& rows) {
  std::string text;
  for (auto it = rows.begin(); it != rows.end();) {
    const int64_t first = it->first;
    int64_t last = first;
    while (++it != rows.end() && it->first == last + 1) ++last;
    text += fmt::format("{}{}{}", text.empty() ? "" : ",", first, last > first ? fmt::format("-{}", last) : "");
  }
  return text;
}

// How long before the time limit a run is told to save. Slurm may be a minute early.
int64_t warning_seconds(double hours) {
  constexpr int64_t kUsual = 120;
  return hours > 0 ? std::clamp<int64_t>(std::llround(hours * 3600 / 2), 1, kUsual) : kUsual;
}

std::string doubled_percent(std::string path) {  // sbatch fills in %a and the like
  for (size_t at = 0; (at = path.find('%', at)) != std::string::npos; at += 2) path.insert(at, 1, '%');
  return path;
}

}  // namespace

namespace {

void read_resources(SlurmResources& resources, const Json& sweep, const std::string& where) {
  read_fields(resources, sweep, where, {"runs_per_gpu"});  // the local executor's
}

}  // namespace

void check_resources(const Json& resources, const std::string& where) {
  SlurmResources read;
  read_resources(read, resources, where);
}

SlurmResources read_slurm_resources(const Json& site, const Json& sweep) {
  SlurmResources resources;
  read_fields(resources, site, "site.json: slurm");
  read_resources(resources, sweep, "resources");
  return resources;
}

std::vector<SlurmArray> slurm_arrays(const Json& plan, const std::vector<std::string>& runs,
                                     const std::map<std::string, SlurmElement>& queued, int64_t max_size) {
  SIMMIM_CHECK(max_size >= 1, "arrays of {}", max_size);
  std::map<std::string, size_t> depth;
  std::vector<std::vector<std::string>> generations;
  for (const std::string& run : runs) {
    const auto parent = depth.find(parent_of(plan, run));
    const size_t own = depth[run] = parent == depth.end() ? 0 : parent->second + 1;
    if (own >= generations.size()) generations.resize(own + 1);
    generations[own].push_back(run);
  }
  Arranger arranger(plan, queued, max_size);
  for (const auto& generation : generations) arranger.add(generation);
  return arranger.take();
}

std::string slurm_dependency(const SlurmArray& array, const std::map<std::string, std::string>& jobs) {
  if (array.after.empty()) return "";
  const auto it = jobs.find(array.after);
  const std::string& job = it == jobs.end() ? array.after : it->second;
  return array.element ? fmt::format("afterok:{}_{}", job, *array.element) : "aftercorr:" + job;
}

std::string slurm_script(const Json& plan, const SlurmArray& array, const SlurmResources& resources,
                         const SlurmPlace& place) {
  std::string text = fmt::format("#!/bin/bash\n# simmim sweep {}, plan {}: {} runs, one an element of the array\n",
                                 plan.at("name").get<std::string>(), plan.at("revision").dump(), array.rows.size());
  const auto option = [&](const std::string& name, const std::string& value) {
    if (!value.empty()) text += fmt::format("#SBATCH --{}={}\n", name, shell_quoted(value));
  };
  option("job-name", fmt::format("{}-{}", plan.at("name").get<std::string>(), array.name));
  option("array", index_text(array.rows) + (place.at_once > 0 ? fmt::format("%{}", place.at_once) : ""));
  option("partition", resources.partition);
  option("account", resources.account);
  option("qos", resources.qos);
  option("constraint", resources.constraint);
  option("nodes", "1");
  option("ntasks", "1");
  option("cpus-per-task", plan.at("threads").dump());
  if (resources.gpus > 0) option("gres", fmt::format("gpu:{}", resources.gpus));
  option("mem", resources.memory);
  if (resources.hours > 0) option("time", fmt::format("{:.0f}", std::ceil(resources.hours * 60)));  // minutes
  text += "#SBATCH --requeue\n";
  option("open-mode", "append");
  option("signal", fmt::format("B:USR2@{}", warning_seconds(resources.hours)));
  option("kill-on-invalid-dep", "yes");
  option("chdir", place.start_folder.string());
  option("output", doubled_percent((place.folder / array.name).string()) + "-%a.log");
  for (const std::string& word : resources.options) text += fmt::format("#SBATCH {}\n", shell_quoted(word));
  std::vector<std::string> words = {place.program.string(),
                                    "worker",
                                    "--plan",
                                    place.plan_file.string(),
                                    "--rows",
                                    (place.folder / (array.name + ".rows")).string(),
                                    "--out",
                                    place.out.string(),
                                    "--db",
                                    place.database.string()};
  for (std::string& word : words) word = shell_quoted(word);
  // Until the program listens, a signal must not end it: that would count as a failure, and its dependants be lost.
  return text + "trap '' USR2 TERM\nexec " + join(words, " ") + "\n";
}

std::string slurm_rows(const SlurmArray& array) {
  std::string text;
  for (const auto& [index, run] : array.rows) text += fmt::format("{} {}\n", index, run);
  return text;
}

std::map<int64_t, std::string> read_slurm_rows(const fs::path& file) {
  std::map<int64_t, std::string> rows;
  std::istringstream text(read_file(file));
  int64_t index = 0;
  for (std::string run; text >> index >> run;) rows[index] = run;
  return rows;
}

}  // namespace simmim
