#include "commands/commands.h"
#include "core/error.h"
#include "core/names.h"
#include "data/info.h"
#include "data/pack.h"
#include "data/photo_tiles.h"
#include "train/stage.h"

namespace simmim {
namespace {

StageSetup open_data(const Json& request) {
  return make_setup(model_config(resolve_request(request), "pretrain"), site_data_folder());
}

Json info(const Json& request, const EventSink&) {
  const StageSetup setup = open_data(request);
  return data_info(*setup.dataset, setup.data, setup.data.verify);
}

Json pack(const Json& request, const EventSink& sink) {
  if (!request.contains("output")) fail(Code::usage, "data pack: -o is missing; give the folder for the shards");
  const StageSetup setup = open_data(request);
  const fs::path folder = request["output"].get<std::string>();
  const Packed packed = pack_dataset(*setup.dataset, folder, {.progress = [&](int64_t done, int64_t total) {
    sink({{"event", "progress"}, {"step", done}, {"steps", total}});
  }});
  return {{"folder", folder.string()},
          {"images", packed.images},
          {"shards", packed.shards},
          {"bytes", packed.bytes},
          {"skipped", packed.skipped}};
}

Json fetch(const Json& request, const EventSink& sink) {
  const std::string name = request.value("name", "");
  if (name != "photo_tiles")
    fail(Code::usage,
         "data fetch: '{}' cannot be built here; allowed: photo_tiles (fashion_mnist is Debian's package "
         "dataset-fashion-mnist)",
         name);
  const fs::path folder =
      request.contains("output") ? fs::path(request["output"].get<std::string>()) : photo_tiles_folder();
  fetch_photo_tiles(folder, [&](const std::string& what) { sink({{"event", "message"}, {"text", what}}); });
  return {{"name", name}, {"folder", folder.string()}};
}

}  // namespace

Json data_command(const Json& request, const EventSink& sink) {
  const std::string action = request.at("action");
  if (action == "info") return info(request, sink);
  if (action == "pack") return pack(request, sink);
  if (action == "fetch") return fetch(request, sink);
  fail(Code::usage, "data: unknown action '{}'{}", action, unknown_name_hint(action, {"info", "pack", "fetch"}));
}

}  // namespace simmim
