#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/config_request.h"
#include "cli/document.h"
#include "cli/engine_client.h"
#include "cli/resolve_sweep.h"
#include "cli/terminal.h"
#include "core/error.h"
#include "core/recipes.h"
#include "sweep/table_check.h"
#include "sweep/tune.h"

namespace simmim {
namespace {

bool is_sweep(const Json& content) {
  for (const char* key : {"axes", "seeds", "stages", "base", "set", "when", "exclude"})
    if (content.is_object() && content.contains(key)) return true;
  return false;
}

int check_sweep(const fs::path& file, const Overrides& overrides, const CommonOptions& common) {
  const SweepFile sweep = read_sweep(file);
  const PlanOptions options{.overrides = overrides};
  if (sweep.tuning) resolve_sweep(tuning_sweep(sweep, options), options, /*measure=*/false, common);
  const Json plan = make_plan(sweep, options, resolve_sweep(sweep, options, /*measure=*/false, common));
  check_table(sweep, plan);
  print_document(
      {{"file", file.string()}, {"sweep", sweep.name}, {"cells", plan["cells"].size()}, {"runs", plan["runs"].size()}},
      common.json);
  hint(common, "simmim sweep " + file.string() + " --dry-run");
  return 0;
}

int check_recipe(const fs::path& file, const ConfigWords& words, const CommonOptions& common) {
  Json request = config_request("resolve", config_layers("check", words), common);
  request["stages"] = {"pretrain", "finetune"};
  const Json answer = engine_call(request);
  for (const Json& warning : answer.value("warnings", Json::array())) warn(warning.get<std::string>());
  Json document = {{"file", file.string()}, {"runs", Json::array()}};
  for (const Json& stage : answer.at("stages"))
    document["runs"].push_back({{"stage", stage.at("kind")},
                                {"run", stage.at("id")},
                                {"steps", stage.value("plan", Json::object()).value("steps", Json())}});
  print_document(document, common.json);
  hint(common, "simmim pretrain " + file.string() + " --dry-run");
  return 0;
}

int run_check(const ConfigWords& words, const CommonOptions& common) {
  if (words.plain.size() != 1) fail(Code::usage, "check: give one recipe or sweep; see simmim check --help");
  const std::string& name = words.plain[0];
  const std::optional<fs::path> sweep = sweep_file(name);
  const fs::path file = sweep ? *sweep : find_recipe(name);
  if (is_sweep(read_json_file(file))) return check_sweep(file, read_overrides(words.overrides), common);
  return check_recipe(file, words, common);
}

}  // namespace

Command check_command() {
  return {"check", "Program", "is this recipe or sweep valid? Every cell is resolved, nothing is run", [](Args& args) {
            auto words = std::make_shared<std::vector<std::string>>();
            args.example("simmim check sweeps/demo.json");
            args.example("simmim check fashion_mnist_vit mask.ratio=0.4");
            args.positional("FILE|key=value", *words, "a recipe or a sweep, and leaves to change");
            return [words, common = args.shared_common()] { return run_check(split_words(*words), *common); };
          }};
}

}  // namespace simmim
