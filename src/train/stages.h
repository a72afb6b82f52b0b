// The three stages, each from a resolved entry (config/resolve.h) to a finished run folder.
#pragma once
#include "config/memory.h"
#include "kernels/device.h"
#include "train/loop.h"
#include "train/session.h"
#include "train/stage.h"

namespace simmim {

struct StageResult {
  Ending ending = Ending::done;
  Json summary = Json::object();  // merged into run.json's summary
};

// Masked-image pre-training: logs the training loss and a validation loss under fixed masks, leaves final.safetensors
// and reconstruction.png. out: the results folder, where what runs share lies.
StageResult pretrain(Session& session, const Json& entry, const fs::path& out, const fs::path& site_data);

// Full fine-tuning, or training from scratch: leaves final.safetensors (of the selected epoch) and eval.safetensors.
// weights: the file to start from, or empty.
StageResult finetune(Session& session, const Json& entry, const fs::path& weights, const fs::path& site_data);

// Linear or k-NN probe of frozen features.
StageResult probe(Session& session, const Json& entry, const fs::path& weights, const fs::path& site_data);

// Metadata of a checkpoint: what kind of model, its configuration without anything that may differ between equal runs.
Metadata describe_weights(const Json& stage_config, const std::vector<std::string>& class_names = {});

// The pieces a batch is computed in: as told, or as few as fit into the device's memory.
template <class Model>
int64_t pieces_of(const Model& model, const StageSetup& setup, const TrainOptions& options) {
  if (options.accumulate) return *options.accumulate;
  const ModelContext& on = setup.context;
  const int64_t images = setup.own_share(options.batch_size);
  const int sharing = on.device.is_cpu() ? setup.launch.local_size : 1;  // processes in one memory
  return pieces_that_fit(
      estimate_memory(count_elements(model.parameters()), model.kept_bytes(on), on, images, setup.data.image_size),
      images, static_cast<double>(memory_limit(on.device)) / sharing);
}

// The task of a stage but for what is its own: `loss`, `evaluate` and `examine`.
template <class Model>
TrainTask task_of(const Model& model, const StageSetup& setup, const TrainOptions& options, const Json& entry,
                  Loader& loader, GradientBuckets& gradients, AdamW& optimizer) {
  const int64_t steps = entry.at("plan").at("steps");
  return {.options = options,
          .steps = steps,
          .pieces = pieces_of(model, setup, options),
          .seed = setup.seed,
          .schedule = make_schedule(options, loader.steps_per_epoch(), steps),
          .loader = loader,
          .parameters = model.parameters(),
          .gradients = gradients,
          .optimizer = optimizer,
          .block_of = [&model](std::string_view name) { return model.encoder().layer_of(name); }};
}

// AdamW's groups: each parameter's rate by its layer and its decay by the official rules.
template <class Model>
std::vector<ParameterGroup> parameter_groups(const Model& model, double weight_decay, double layer_decay) {
  std::vector<ParameterGroup> groups;
  const int64_t top = model.encoder().layers() + 1;
  for (const auto& [name, parameter] : model.parameters()) {
    const double decay = model.decays(name, parameter.dim()) ? weight_decay : 0;
    const int64_t below_top = top - model.encoder().layer_of(name);
    double scale = 1;
    for (int64_t i = 0; layer_decay != 1 && i < below_top; ++i) scale *= layer_decay;
    auto group = groups.begin();
    while (group != groups.end() && (group->lr_scale != scale || group->weight_decay != decay)) ++group;
    if (group == groups.end()) group = groups.insert(group, ParameterGroup{scale, decay, {}});
    group->parameters.emplace_back(name, parameter);
  }
  return groups;
}

}  // namespace simmim
