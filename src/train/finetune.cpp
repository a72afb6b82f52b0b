// Full fine-tuning with layer-wise rate decay (official main_finetune.py), or training from scratch.
#include "config/resolve.h"
#include "train/evaluate.h"
#include "train/examine.h"
#include "train/mixup.h"
#include "train/stages.h"
#include "train/tensors.h"

namespace simmim {
namespace {
constexpr int64_t kEvaluationBatch = 128;
}

StageResult finetune(Session& session, const Json& entry, const fs::path& weights, const fs::path& site_data) {
  const Json& config = entry.at("config");
  const StageSetup setup = make_setup(config, site_data);
  const FinetuneOptions options = options_of<FinetuneOptions>(config, "finetune");
  const Classifier model(config, setup.dataset->classes(), setup.context);
  if (!weights.empty())
    for (const std::string& note :
         load_weights(model.parameters(), TensorFile::open_weights(weights), kFreshInClassifier, kUnusedByClassifier))
      session.message(note);
  LoaderOptions loading{.split = Split::train,
                        .batch_size = options.batch_size,
                        .image_size = setup.data.image_size,
                        .workers = setup.workers,
                        .seed = setup.seed,
                        .augment = options.augment,
                        .perturb = options.augment,
                        .fill = fill_of(setup.normalisation.mean),
                        .eval_crop = eval_crop(setup.data),
                        .fail_on_error = setup.data.on_error == "fail"};
  if (options.limit_labels)
    loading.subset = balanced_subset(*setup.dataset, Split::train, *options.limit_labels, setup.seed);
  Loader loader(*setup.dataset, loading);
  AdamW optimizer(
      parameter_groups(model, options.weight_decay, options.layer_decay),
      {.beta1 = options.betas[0], .beta2 = options.betas[1], .eps = options.eps, .clip_norm = options.clip_norm});
  const int64_t steps = entry.at("plan").at("steps");
  const bool has_val = setup.dataset->has(Split::val);
  const auto average = options.ema > 0 ? std::make_unique<WeightAverage>(model.parameters(), options.ema) : nullptr;
  const auto labels_of = [&](const Batch& batch, int64_t first, int64_t last) {
    return at::from_blob(const_cast<int64_t*>(batch.labels.data() + first), {last - first}, at::kLong)
        .to(setup.context.device);
  };

  // The share of a batch's loss that its images [first, last) have.
  const auto loss = [&](const Batch& batch, int64_t first, int64_t last, const StepContext& step) {
    const int64_t B = batch.size();
    const double share = static_cast<double>(last - first) / static_cast<double>(B);
    const auto part = [&](const Tensor& mean) { return share == 1 ? mean : mean * share; };
    const Tensor images = setup.images(batch, first, last), labels = labels_of(batch, first, last);
    if (!mixes(options)) return part(cross_entropy(model.logits(images, step), labels, options.label_smoothing));
    // Partners are the whole batch's, whatever pieces it is computed in.
    const Mix mix = draw_mix(options, setup.data.image_size, setup.seed, step.step);
    mix_images(mix, images, setup.images(batch, B - last, B - first).flip(0));
    const Tensor targets = mix_targets(mix, labels, labels_of(batch, B - last, B - first).flip(0),
                                       setup.dataset->classes(), options.label_smoothing, setup.context.dtype);
    return part(soft_cross_entropy(model.logits(images, step), targets));
  };

  Progress progress;
  Evaluation val;  // the last one made
  const fs::path best_file = session.folder().file("best.safetensors");
  const Metadata description = describe_weights(config, setup.dataset->class_names());
  const auto validate = [&](int64_t epoch, bool last) {
    // Without a validation split only the end is looked at: test is read once a run.
    if (!has_val || (!last && (options.eval_epochs == 0 || epoch % options.eval_epochs != 0)))
      return Json(Json::object());
    val = evaluate(model, setup, Split::val, kEvaluationBatch);
    const auto best = progress.extra.find("best_top1");
    if (best == progress.extra.end() || val.top1() > std::stod(best->second)) {
      progress.extra["best_top1"] = number_text(val.top1());
      progress.extra["best_epoch"] = std::to_string(epoch);
      if (options.select == "best") save_weights(best_file, model.parameters(), description);
    }
    return Json{{"val.top1", val.top1()}, {"val.top5", val.top5()}, {"val.loss", val.loss()}};
  };
  const auto examine = [&](const Batch& batch, const StepContext& step) {
    const at::NoGradGuard no_grad;
    const Tensor images = setup.normalise(batch.pixels, 0, batch.size());
    const Tensor logits = model.logits(images, StepContext{});
    const Tensor labels = labels_of(batch, 0, batch.size());
    Json facts = {{"images", Json::array()}, {"image_loss", Json::array()}};
    for (int64_t i = 0; i < batch.size(); ++i) {
      facts["images"].push_back(setup.dataset->item_name(Split::train, batch.indices[static_cast<size_t>(i)]));
      const Tensor one = cross_entropy(logits.narrow(0, i, 1), labels.narrow(0, i, 1), 0);
      facts["image_loss"].push_back(one.item<double>());
    }
    facts["blocks"] = examine_blocks(step, [&](const StepContext& again) { model.logits(images, again); });
    return facts;
  };
  const TrainTask task{.options = options,
                       .steps = steps,
                       .pieces = pieces_of(model, setup, options),
                       .seed = setup.seed,
                       .schedule = make_schedule(options, loader.steps_per_epoch(), steps),
                       .loader = loader,
                       .parameters = model.parameters(),
                       .optimizer = optimizer,
                       .average = average.get(),
                       .description = description,
                       .loss = loss,
                       .evaluate = validate,
                       .examine = examine,
                       .block_of = [&](std::string_view name) { return model.encoder().layer_of(name); }};
  StageResult result;
  result.ending = train(session, task, progress);
  result.summary["skipped_images"] = loader.skipped().size();
  if (result.ending == Ending::interrupted) return result;

  if (options.select == "best") {
    copy_into(model.parameters(), TensorFile::open(best_file));
    val = {};
  }
  save_weights(session.folder().file("final.safetensors"), model.parameters(), description);
  if (has_val) {
    if (val.labels.empty()) val = evaluate(model, setup, Split::val, kEvaluationBatch);
    result.summary.update({{"val_top1", val.top1()},
                           {"val_images", val.images()},
                           {"val_loss", val.loss()},
                           {"best_epoch", std::stoll(progress.extra.at("best_epoch"))}});
  }
  if (setup.dataset->has(Split::test)) {
    const Evaluation test = evaluate(model, setup, Split::test, kEvaluationBatch);
    test.save(session.folder().file("eval.safetensors"));
    result.summary.update({{"test_top1", test.top1()},
                           {"test_top5", test.top5()},
                           {"test_loss", test.loss()},
                           {"test_images", test.images()}});
  }
  return result;
}

}  // namespace simmim
