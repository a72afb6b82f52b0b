// Pre-training: random crops, random masks, the masked loss (official main_simmim.py).
#include <cmath>

#include "config/resolve.h"
#include "config/run_id.h"
#include "model/simmim.h"
#include "train/examine.h"
#include "train/fit_clusters.h"
#include "train/reconstruct.h"
#include "train/stages.h"
#include "train/tensors.h"

namespace simmim {
namespace {

constexpr int64_t kSheetImages = 8;

// Means over the validation images, with the same masks and centre crops every time: "val.loss" and, of a target of
// classes, "val.accuracy" (percent) and "val.perplexity" over the masked target pixels.
Json validate(const SimMim& model, const StageSetup& setup, const MaskGenerator& masks, int64_t batch_size) {
  const at::NoGradGuard no_grad;
  Loader loader(*setup.dataset, setup.evaluation(Split::val, batch_size));
  double loss = 0, nats = 0, accuracy = 0;
  int64_t images = 0;
  while (const Batch* batch = loader.next()) {
    const Tensor mask = fixed_masks(masks, static_cast<uint64_t>(setup.data.split_seed), batch->indices);
    const SimMim::Output out = model.forward(setup.normalise(batch->pixels, 0, batch->size()), mask, StepContext{});
    loss += out.image_loss.sum().item<double>();
    if (out.image_nats.defined()) {
      nats += out.image_nats.sum().item<double>();
      accuracy += out.image_accuracy.sum().item<double>();
    }
    images += batch->size();
  }
  const auto count = static_cast<double>(images);
  Json metrics = {{"val.loss", loss / count}};
  if (model.target().classes() > 0)
    metrics.update({{"val.accuracy", 100 * accuracy / count}, {"val.perplexity", std::exp(nats / count)}});
  return metrics;
}

}  // namespace

Metadata describe_weights(const Json& stage_config, const std::vector<std::string>& class_names) {
  Json kept = stage_config;  // nothing that may differ between equal runs
  kept.erase("device");
  for (const std::string key : {"root", "train", "val", "test", "workers"}) kept["data"].erase(key);
  if (kept.contains("target") && kept["target"].contains("centers")) kept["target"]["centers"] = "checkpoint";
  if (kept.contains("target")) kept["target"].erase("tokenizer");
  Metadata metadata = {{"format", "simmim"}, {"kind", stage_config.at("stage")}, {"config", kept.dump()}};
  if (!class_names.empty()) metadata["classes"] = Json(class_names).dump();
  return metadata;
}

StageResult pretrain(Session& session, const Json& entry, const fs::path& out, const fs::path& site_data) {
  const Json& config = entry.at("config");
  Group& group = session.group();
  const StageSetup setup = make_setup(config, site_data, /*needs_data=*/true, group.launch());
  const PretrainOptions options = options_of<PretrainOptions>(config, "pretrain");
  const SimMim model(config, setup.context);
  const NamedTensors constants = model.target().constants();
  if (entry.contains("weights") && entry["weights"].is_string()) {  // --from: weights, with a fresh optimizer
    const TensorFile file = TensorFile::open_weights(entry["weights"].get<std::string>());
    const bool its_centers = config.at("target").value("centers", "") == "checkpoint";
    for (const std::string& note :
         load_weights(its_centers ? joined(model.parameters(), constants) : model.parameters(), file,
                      kFreshInPretraining, kUnusedByPretraining))
      session.message(note);
  }
  if (const std::string note = fill_centers(model, setup, out); !note.empty()) session.message(note);
  const std::unique_ptr<MaskGenerator> masks = make_masks(config);
  Loader loader(*setup.dataset, setup.training(options.batch_size, options.augment));
  GradientBuckets gradients(group, model.parameters(), !config.at("encoder").value("checkpointing", false));
  AdamW optimizer(parameter_groups(model, options.weight_decay, 1), options);

  Tensor mask;        // of the current batch
  double masked = 0;  // pixels of the whole batch
  const Batch* masked_batch = nullptr;
  int64_t masked_step = -1;
  const auto mask_of = [&](const Batch& batch, int64_t step) {
    if (masked_batch != &batch || masked_step != step) {
      mask = training_masks(*masks, setup.seed, batch.epoch, batch.indices);
      masked = group.sum(model.masked_pixels(mask));
    }
    masked_batch = &batch, masked_step = step;
    return mask;
  };
  TrainTask task = task_of(model, setup, options, entry, loader, gradients, optimizer);
  task.constants = constants;
  task.description = describe_weights(config);
  task.loss = [&](const Batch& batch, int64_t first, int64_t last, StepContext step) {
    const Tensor whole = mask_of(batch, step.step);
    step.batch_masked = masked;
    return model.forward(setup.normalise(batch.pixels, first, last), whole.slice(0, first, last), step).loss;
  };
  task.evaluate = [&](int64_t epoch, bool last) {
    if (!setup.dataset->has(Split::val) || options.val_epochs == 0 || (!last && epoch % options.val_epochs != 0))
      return Json(Json::object());
    return validate(model, setup, *masks, options.batch_size);
  };
  task.examine = [&](const Batch& batch, const StepContext& step) {
    const at::NoGradGuard no_grad;
    const Tensor images = setup.normalise(batch.pixels, 0, batch.size()), whole = mask_of(batch, step.step);
    Json facts = examine_images(*setup.dataset, batch, model.forward(images, whole, StepContext{}).image_loss);
    for (int64_t i = 0; i < batch.size(); ++i) {
      const Tensor cells = whole[i].contiguous();
      facts["masks"].push_back(std::vector<int>(cells.data_ptr<uint8_t>(), cells.data_ptr<uint8_t>() + cells.numel()));
    }
    facts["blocks"] = examine_blocks(step, [&](const StepContext& watched) { model.forward(images, whole, watched); });
    return facts;
  };
  Progress progress;
  StageResult result;
  result.ending = train(session, task, progress);
  result.summary["skipped_images"] = std::llround(group.sum(static_cast<double>(loader.skipped().size())));
  if (result.ending == Ending::interrupted || !group.first()) return result;
  save_weights(session.file("final.safetensors"), joined(model.parameters(), constants), task.description);
  const Split split = setup.dataset->has(Split::val) ? Split::val : Split::train;
  Sheet sheet;
  LoaderOptions few = setup.evaluation(split, kSheetImages);
  few.workers = 0;
  Loader images(*setup.dataset, few);
  if (const Batch* batch = images.next()) {
    add_to_sheet(sheet, model, setup, setup.normalise(batch->pixels, 0, batch->size()),
                 fixed_masks(*masks, static_cast<uint64_t>(setup.data.split_seed), batch->indices));
    write_file_atomically(session.file("reconstruction.png"), encode_png(draw_sheet(sheet)));
  }
  return result;
}

}  // namespace simmim
