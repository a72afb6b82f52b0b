#include "commands/commands.h"
#include "config/settle.h"
#include "core/error.h"
#include "core/names.h"
#include "data/info.h"
#include "data/pack.h"
#include "data/photo_tiles.h"
#include "train/fit_clusters.h"
#include "train/train_dvae.h"

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
  const Packed packed =
      pack_dataset(*setup.dataset, folder,
                   {.pixels = request.value("pixels", int64_t{0}), .progress = [&](int64_t done, int64_t total) {
                      sink({{"event", "progress"}, {"step", done}, {"steps", total}});
                    }});
  return {{"folder", folder.string()},
          {"images", packed.images},
          {"shards", packed.shards},
          {"bytes", packed.bytes},
          {"skipped", packed.skipped}};
}

// Whatever the configuration above it says of target and loss, as long as it is not another target.
Json fit_clusters(const Json& request, const EventSink& sink) {
  ResolveRequest resolving = resolve_request(request);
  const Layer lowest{"data fit-clusters", {{"target.name", "color_clusters"}, {"loss.name", "cross_entropy"}}};
  resolving.layers.insert(resolving.layers.begin(), lowest);
  const Json config = model_config(resolving, "pretrain");
  const Json& target = config.at("target");
  if (target["name"] != "color_clusters" || target["centers"] != "fit")
    fail(Code::usage, "data fit-clusters: the target is {} with centers {}; it fits color_clusters, centers=fit",
         target["name"].dump(), target.value("centers", Json()).dump());
  const SimMim model(config, {.device = at::kMeta});
  ColorClusters::Options options;
  read_fields(options, target, "target", {"name"});
  const FittedColors fitted = fit_colors(make_setup(config, site_data_folder()), options.fit, model.target().classes(),
                                         model.target().resolution(), [&](int64_t done, int64_t total) {
                                           sink({{"event", "progress"}, {"step", done}, {"steps", total}});
                                         });
  write_centers(request["output"].get<std::string>(), fitted.clusters.centers);
  return {{"output", request["output"]},
          {"clusters", model.target().classes()},
          {"resolution", model.target().resolution()},
          {"images", fitted.images},
          {"colors", fitted.colors},
          {"inertia", fitted.clusters.inertia}};
}

Json fetch(const Json& request, const EventSink& sink) {
  const std::string name = request.value("name", "");
  if (name != "photo_tiles")
    fail(Code::usage, "data fetch: {}; allowed: photo_tiles (fashion_mnist is Debian's package dataset-fashion-mnist)",
         name.empty() ? "no data set is named" : "'" + name + "' cannot be built here");
  const fs::path folder =
      request.contains("output") ? fs::path(request["output"].get<std::string>()) : photo_tiles_folder();
  fetch_photo_tiles(folder, [&](const std::string& what) { sink({{"event", "message"}, {"text", what}}); });
  return {{"name", name}, {"folder", folder.string()}};
}

Json train_tokenizer(const Json& request, const EventSink& sink) {
  if (!request.contains("output")) fail(Code::usage, "data train-dvae: -o is missing; give the file to write");
  DvaeOptions options;
  read_fields(options, merge_layers(resolve_request(request).layers).config.value("dvae", Json::object()), "dvae");
  check_options(options);
  return train_dvae(open_data(request), options, request["output"].get<std::string>(), sink);
}

}  // namespace

Json data_command(const Json& request, const EventSink& sink) {
  const std::string action = request.at("action");
  if (action == "info") return info(request, sink);
  if (action == "pack") return pack(request, sink);
  if (action == "fetch") return fetch(request, sink);
  if (action == "fit-clusters") return fit_clusters(request, sink);
  if (action == "train-dvae") return train_tokenizer(request, sink);
  fail(Code::usage, "data: unknown action '{}'{}", action,
       unknown_name_hint(action, {"info", "pack", "fetch", "fit-clusters", "train-dvae"}));
}

}  // namespace simmim
