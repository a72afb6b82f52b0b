#include "commands/commands.h"
#include "core/error.h"
#include "core/names.h"
#include "train/stage.h"

namespace simmim {

Json data_command(const Json& request, const EventSink&) {
  const std::string action = request.at("action");
  if (action == "info") {
    const Json config = model_config(resolve_request(request), "pretrain");
    const StageSetup setup = make_setup(config, site_data_folder());
    Json out = {{"name", setup.data.name}, {"classes", setup.dataset->class_names()}};
    for (const Split split : kSplits) out[split_name(split)] = setup.dataset->size(split);
    out["fingerprint"] = setup.dataset->fingerprint();
    return out;
  }
  fail(Code::usage, "data: unknown action '{}'{}", action, unknown_name_hint(action, {"info"}));
}

}  // namespace simmim
