#include "cli/go_on.h"

#include "core/process.h"
#include "runs/run_folder.h"
#include "sweep/plan.h"
#include "sweep/slurm_queue.h"

namespace simmim {

std::string go_on_with_sweep(const fs::path& out, const Json& plan) {
  return sweep_command(plan) + (fs::exists(submissions_folder(out, plan.at("name"))) ? " --executor slurm" : "");
}

std::string go_on_command(const fs::path& out, const std::string& run, const std::vector<std::string>& sweeps) {
  for (const std::string& sweep : sweeps)
    if (const auto plan = read_plan(out, sweep)) return go_on_with_sweep(out, *plan);
  std::error_code missing;
  const fs::path config_file = run_path(out, run) / "config.json";
  const Json config = fs::is_regular_file(config_file, missing) ? read_json_file(config_file) : Json::object();
  const std::string stage = config.value("stage", "pretrain");
  std::string command = "simmim " + stage;
  const auto text_at = [&](const char* key) {
    return config.contains(key) && config[key].is_string() ? config[key].get<std::string>() : "";
  };
  const std::string parent = text_at("parent"), weights = text_at("weights");
  const std::string file = fs::path(weights).stem(), epoch = file.starts_with("epoch-") ? "@" + file.substr(6) : "";
  if (const std::string from = !parent.empty() ? parent + epoch : weights; !from.empty())
    command += " --from " + shell_quoted(from);
  else if (stage == "finetune")
    command += " --from scratch";
  const Json given = config.value("given", Json::object());
  for (const auto& [key, value] : given.items())
    if (key != "finetune.from" && key != "probe.from")
      command += " " + shell_quoted(key + "=" + (value.is_string() ? value.get<std::string>() : value.dump()));
  return command;
}

}  // namespace simmim
