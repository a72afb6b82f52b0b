#include "config/settle.h"

#include <algorithm>

#include "config/schedule.h"
#include "data/statistics.h"
#include "kernels/device.h"

namespace simmim {

std::string settle_precision(const std::string& precision, const std::string& stage, const std::string& device) {
  if (stage != "pretrain" && stage != "finetune") return precision == "f64" ? "f64" : "f32";
  if (precision != "auto") return precision;
  return device_info(resolve_device(device)).fast_bf16 ? "bf16" : "f32";
}

Json settle_data(const Json& block, const fs::path& site_data, DataOptions& options) {
  read_fields(options, block, "data");
  const Normalisation normalisation =
      resolve_normalisation(options, needs_measuring(options) ? shared_dataset(options, site_data).get() : nullptr);
  options.mean = normalisation.mean;
  options.std = normalisation.std;
  options.eval_crop = eval_crop(options);
  return write_fields(options);
}

bool has_usual_normalisation(const DataOptions& options) {
  DataOptions usual = options;
  usual.mean = usual.std = "auto";
  const Normalisation normalisation = resolve_normalisation(usual, nullptr);
  return normalisation.mean == options.mean.get<std::array<double, 3>>() &&
         normalisation.std == options.std.get<std::array<double, 3>>();
}

void settle_training(TrainOptions& options, const Json& given, const std::string& stage) {
  if (given.contains("steps") && options.steps) {
    if (given.contains("epochs") && options.epochs)
      fail(Code::usage, "{}: both epochs and steps are given; keep one", stage);
    options.epochs.reset();
  }
  if (!options.epochs && !options.steps)
    fail(Code::usage, "{}: neither epochs nor steps is given; set {}.epochs", stage, stage);
  if (options.lr && options.base_lr) fail(Code::usage, "{}: both lr and base_lr are given; keep one", stage);
  if (!options.lr && !options.base_lr) options.lr = stage == "pretrain" ? 1e-3 : 5e-4;
  if (options.schedule == "multi_step" && options.milestones.empty())
    fail(Code::usage, "{}.milestones: multi_step needs the epochs at which the rate falls, such as {}.milestones=[700]",
         stage, stage);
  const Schedule used = make_schedule(options, 1, 1);
  options.lr = used.peak;
  options.warmup_lr = used.warmup_lr;
  options.min_lr = used.min_lr;
  options.base_lr.reset();
}

namespace {
template <class Options>
void check_training(const Options& options, const std::string& where) {
  check_augment(options.augment, where + ".augment");
  if (options.betas.size() != 2)
    fail(Code::usage, "{}.betas: got {} numbers; allowed: two", where, options.betas.size());
}
}  // namespace

void check_options(const PretrainOptions& options) { check_training(options, "pretrain"); }
void check_options(const DvaeOptions& options) { check_training(options, "dvae"); }

void check_options(const ProbeOptions& options, int64_t blocks, int64_t images) {
  const bool named = options.layer == "all" || options.layer == "last";
  if (!named && !(options.layer.is_number_integer() && options.layer >= 1 && options.layer <= blocks))
    fail(Code::usage, "probe.layer: got {}; allowed: all, last or a block number from 1 to {}", options.layer.dump(),
         blocks);
  if (options.lr.empty() || *std::min_element(options.lr.begin(), options.lr.end()) <= 0)
    fail(Code::usage, "probe.lr: got {}; allowed: one rate above 0 or more, such as [0.001,0.004]",
         Json(options.lr).dump());
  if (options.limit_labels.value_or(0) > images)
    fail(Code::usage, "probe.limit_labels: {} is more than the {} training images; use fewer", *options.limit_labels,
         images);
  if (const int64_t most = options.limit_labels.value_or(images); options.name == "knn" && options.neighbours > most)
    fail(Code::usage, "probe.neighbours: {} is more than the {} training images; use fewer", options.neighbours, most);
}

void check_options(const FinetuneOptions& options) {
  check_training(options, "finetune");
  check_perturb(options.augment, "finetune.augment");
  if ((options.mixup > 0 || options.cutmix > 0) && options.batch_size % 2 != 0)
    fail(
        Code::usage,
        "finetune.batch_size: {} is odd, and mixup and cutmix pair the images of a batch; use {} or {}, or set both to "
        "0",
        options.batch_size, options.batch_size - 1, options.batch_size + 1);
}

}  // namespace simmim
