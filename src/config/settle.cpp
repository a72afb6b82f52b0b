#include "config/settle.h"

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
