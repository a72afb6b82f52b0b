// From layers to stages: the resolved configuration, id and plan of each run that a command or a sweep's cell asks for.
// Everything a user can get wrong is found here, before the first tensor.
#pragma once
#include <string>
#include <vector>

#include "config/layers.h"
#include "core/fields.h"

namespace simmim {

struct ResolveRequest {
  std::vector<Layer> layers;        // above the defaults, lowest first; a recipe's layer may have "extends"
  std::vector<std::string> stages;  // "pretrain", "finetune", "probe", in this order
  std::string from;          // where the first stage's weights come from: RUN, RUN@EPOCH, a file, "scratch" or ""
  fs::path out = "results";  // where runs are looked up
  fs::path site_data;        // folder of data sets of this site; may be empty
  bool force = false;        // accept a normalisation other than the checkpoint's
};

// [{"kind","id","parent","seed","config","given","sources","fingerprint","versions","weights","plan"}]: parent is an id
// or null; weights is the file (or null) that a stage starts from where that is no run of this request. plan:
// {"parameters","flops_per_image","train_images","val_images","test_images","classes","steps","steps_per_epoch",
// "epochs","images","peak_lr", ... (config/plan.h)}. Adds sentences to `warnings`.
Json resolve_stages(const ResolveRequest& request, std::vector<std::string>& warnings);

// The configuration of a trained model and the file that holds its weights, for commands that use it (eval, predict,
// reconstruct): request.from names it, request.layers may change data and mask. stage: "pretrain" for what predicts
// pixels, "finetune" for what classifies or gives features. Opens no data set.
struct TrainedModel {
  Json config;
  fs::path weights;
  std::string run;  // id, or "" for a file
  std::vector<std::string> warnings;
};
TrainedModel trained_model(const ResolveRequest& request, const std::string& stage);

// The same for a model that need not exist: configuration alone, with the stage's own block.
Json model_config(const ResolveRequest& request, const std::string& stage);

// The typed options of a resolved stage configuration.
template <class Options>
Options options_of(const Json& stage_config, const std::string& section) {
  Options options{};
  read_fields(options, stage_config.at(section), section);
  return options;
}

}  // namespace simmim
