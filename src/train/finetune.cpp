// Full fine-tuning with layer-wise rate decay (official main_finetune.py), or training from scratch.
#include <cmath>
#include <optional>

#include "config/resolve.h"
#include "layers/upload.h"
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
  Group& group = session.group();
  const StageSetup setup = make_setup(config, site_data, /*needs_data=*/true, group.launch());
  const FinetuneOptions options = options_of<FinetuneOptions>(config, "finetune");
  const Classifier model(config, setup.dataset->classes(), setup.context);
  if (!weights.empty())
    for (const std::string& note :
         load_weights(model.parameters(), TensorFile::open_weights(weights), kFreshInClassifier, kUnusedByClassifier))
      session.message(note);
  LoaderOptions loading = setup.training(options.batch_size, options.augment);
  loading.perturb = options.augment;
  if (options.limit_labels)
    loading.subset = balanced_subset(*setup.dataset, Split::train, *options.limit_labels, setup.seed);
  Loader loader(*setup.dataset, loading);
  GradientBuckets gradients(group, model.parameters(), !config.at("encoder").value("checkpointing", false));
  AdamW optimizer(parameter_groups(model, options.weight_decay, options.layer_decay), options);
  const bool has_val = setup.dataset->has(Split::val);
  const auto average = options.ema > 0 ? std::make_unique<WeightAverage>(model.parameters(), options.ema) : nullptr;
  const auto labels_of = [&](const Batch& batch, int64_t first, int64_t last) {
    return upload(at::from_blob(const_cast<int64_t*>(batch.labels.data() + first), {last - first}, at::kLong),
                  setup.context.device);
  };

  const Metadata description = describe_weights(config, setup.dataset->class_names());
  TrainTask task = task_of(model, setup, options, entry, loader, gradients, optimizer);
  task.average = average.get();
  task.description = description;
  // Mixing: the partners of a process's images are those of the process at the same place from the end.
  std::optional<Loader> other_share;
  const int opposite = group.size() - 1 - group.rank();
  if (mixes(options) && opposite != group.rank()) {
    loading.share = opposite;
    other_share.emplace(*setup.dataset, loading);
  }
  const Batch* others = nullptr;
  const auto partners_of = [&](const Batch& batch) -> const Batch& {
    if (!other_share) return batch;
    const auto beside = [&] { return others != nullptr && others->epoch == batch.epoch && others->step == batch.step; };
    if (beside()) return *others;
    others = other_share->next();
    if (!beside()) {
      other_share->seek(batch.epoch, batch.step);
      others = other_share->next();
    }
    return *others;
  };
  // The share of the whole batch's loss that images [first, last) of a batch have.
  task.loss = [&](const Batch& batch, int64_t first, int64_t last, const StepContext& step) {
    const int64_t B = batch.size();
    const double share = static_cast<double>(last - first) / static_cast<double>(batch.whole);
    const auto part = [&](const Tensor& mean) { return share == 1 ? mean : mean * share; };
    const Tensor images = setup.images(batch, first, last), labels = labels_of(batch, first, last);
    if (!mixes(options)) return part(cross_entropy(model.logits(images, step), labels, options.label_smoothing));
    // Partners are the whole batch's, whatever pieces it is computed in.
    const Mix mix = draw_mix(options, setup.data.image_size, setup.seed, step.step);
    const Batch& mirrored = partners_of(batch);
    mix_images(mix, images, setup.images(mirrored, B - last, B - first).flip(0));
    const Tensor targets = mix_targets(mix, labels, labels_of(mirrored, B - last, B - first).flip(0),
                                       setup.dataset->classes(), options.label_smoothing, setup.context.dtype);
    return part(soft_cross_entropy(model.logits(images, step), targets));
  };

  Progress progress;
  Evaluation val;  // the last one made
  const fs::path best_file = session.file("best.safetensors");
  task.evaluate = [&](int64_t epoch, bool last) {
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
  task.examine = [&](const Batch& batch, const StepContext& step) {
    const at::NoGradGuard no_grad;
    const Tensor images = setup.normalise(batch.pixels, 0, batch.size());
    const Tensor labels = labels_of(batch, 0, batch.size()).unsqueeze(1);
    const Tensor likely = at::log_softmax(model.logits(images, StepContext{}), 1).gather(1, labels).squeeze(1);
    Json facts = examine_images(*setup.dataset, batch, -likely);
    facts["blocks"] = examine_blocks(step, [&](const StepContext& again) { model.logits(images, again); });
    return facts;
  };
  StageResult result;
  result.ending = train(session, task, progress);
  result.summary["skipped_images"] = std::llround(group.sum(static_cast<double>(loader.skipped().size())));
  if (result.ending == Ending::interrupted || !group.first()) return result;

  if (options.select == "best") {
    copy_into(model.parameters(), TensorFile::open(best_file));
    val = {};
  }
  save_weights(session.file("final.safetensors"), model.parameters(), description);
  if (has_val) {
    if (val.labels.empty()) val = evaluate(model, setup, Split::val, kEvaluationBatch);
    result.summary.update({{"val_top1", val.top1()},
                           {"val_images", val.images()},
                           {"val_loss", val.loss()},
                           {"best_epoch", std::stoll(progress.extra.at("best_epoch"))}});
  }
  if (setup.dataset->has(Split::test)) {
    const Evaluation test = evaluate(model, setup, Split::test, kEvaluationBatch);
    test.save(session.file("eval.safetensors"));
    result.summary.update({{"test_top1", test.top1()},
                           {"test_top5", test.top5()},
                           {"test_loss", test.loss()},
                           {"test_images", test.images()}});
  }
  return result;
}

}  // namespace simmim
