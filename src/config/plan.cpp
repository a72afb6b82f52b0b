#include "config/plan.h"

#include <cmath>

#include "config/memory.h"
#include "data/dataset.h"
#include "kernels/device.h"
#include "masks/mask.h"
#include "model/classifier.h"
#include "model/simmim.h"

namespace simmim {

DataSizes data_sizes(const DataOptions& options, const fs::path& site_data, std::vector<std::string>& warnings) {
  try {
    const std::shared_ptr<const Dataset> dataset = shared_dataset(options, site_data);
    return {.train = dataset->size(Split::train),
            .val = dataset->size(Split::val),
            .test = dataset->size(Split::test),
            .classes = dataset->classes(),
            .fingerprint = dataset->fingerprint()};
  } catch (const Error&) {
    if (!options.images) throw;
    warnings.push_back(fmt::format("{} is not at hand: planned for data.images={}, and the ids are provisional",
                                   options.name, *options.images));
    return {.train = *options.images, .classes = options.classes.value_or(0), .fingerprint = "provisional"};
  }
}

Json plan_steps(TrainOptions& options, int64_t images, const Json& given, const std::string& stage) {
  const int64_t per_epoch = images / options.batch_size;
  if (per_epoch == 0)
    fail(Code::usage,
         "{}.batch_size: {} is more than the {} training images, so there would be no step; use at most {}", stage,
         options.batch_size, images, images);
  const int64_t steps = options.steps ? *options.steps : *options.epochs * per_epoch;
  const double epochs = static_cast<double>(steps) / static_cast<double>(per_epoch);
  const bool all_warmup = std::llround(options.warmup_epochs * static_cast<double>(per_epoch)) >= steps;
  if (all_warmup && !given.contains("warmup_epochs"))
    options.warmup_epochs = epochs / 10;
  else if (all_warmup)
    fail(Code::usage,
         "{}.warmup_epochs: {} epochs of warm-up are as long as the run of {} steps; use fewer, or train longer", stage,
         number_text(options.warmup_epochs), steps);
  return {{"steps", steps},
          {"steps_per_epoch", per_epoch},
          {"epochs", epochs},
          {"images", steps * options.batch_size},
          {"peak_lr", *options.lr}};
}

double step_passes(const Json& config) { return config.at("encoder").value("checkpointing", false) ? 4 : 3; }

ModelContext planned_context(const Json& config) {
  const std::string precision = config.at("precision"), device = config.at("device");
  ModelContext on{.dtype = precision == "f64" ? at::kDouble : at::kFloat, .autocast = precision == "bf16"};
  try {
    on.device = resolve_device(device);
  } catch (const Error& error) {
    if (error.code() != Code::device) throw;
    on.device = at::kCUDA;
  }
  return on;
}

namespace {

// What the folder of a finished run holds, and one more last.safetensors, which is there twice while it is replaced.
double disk_bytes(int64_t parameters, const ModelContext& on, const Json& training, double epochs) {
  const double weights = static_cast<double>(parameters) * (on.dtype == at::kDouble ? 8 : 4);
  const double every = training.at("keep_epochs");
  const double kept = every > 0 ? std::floor(epochs / every) : 0;
  const bool best = training.value("select", "last") == "best";
  return weights * (1 + 2 * 3 + kept + (best ? 1 : 0));
}

// Images that are looked at between epochs and at the end.
double evaluated_images(const Json& plan, const Json& config) {
  const Json& training = config.at(config.at("stage").get<std::string>());
  const bool pretrain = config.at("stage") == "pretrain";
  const double every = training.at(pretrain ? "val_epochs" : "eval_epochs");
  const double times = every > 0 ? std::ceil(plan.at("epochs").get<double>() / every) : pretrain ? 0 : 1;
  return times * plan.at("val_images").get<double>() + (pretrain ? 0 : plan.at("test_images").get<double>());
}

template <class Model>
void plan_sizes(Json& plan, const Json& config, const Model& model) {
  const int64_t parameters = count_elements(model.parameters());
  const double forward = model.flops(), images = plan.at("images");
  const ModelContext on = planned_context(config);
  plan.update(
      {{"parameters", parameters}, {"flops_per_image", forward}, {"device", on.device.is_cpu() ? "cpu" : "cuda"}});
  if (config.at("stage") == "probe") {  // each image once
    plan["flops"] = forward * (images + plan.at("val_images").get<double>() + plan.at("test_images").get<double>());
    return;
  }
  plan["flops"] = forward * (step_passes(config) * images + evaluated_images(plan, config));
  const Json& training = config.at(config.at("stage").get<std::string>());
  const int64_t batch_size = training.at("batch_size");
  const MemoryEstimate memory =
      estimate_memory(parameters, model.kept_bytes(on), on, batch_size, config.at("data").at("image_size"));
  const bool is_here = on.device.is_cpu() || on.device.has_index();
  const Json& given = training.at("accumulate");
  const int64_t pieces = given.is_number() ? given.get<int64_t>() : is_here ? auto_pieces(memory, batch_size, on) : 1;
  plan.update({{"accumulate", pieces},
               {"memory", memory.total((batch_size + pieces - 1) / pieces)},
               {"disk", disk_bytes(parameters, on, training, plan.at("epochs"))}});
}

// The share of the cells that mask.ratio comes to. Where nothing is hidden a masked-only loss has nothing to compare.
double planned_share(const Json& config) {
  const std::unique_ptr<MaskGenerator> masks = make_masks(config);
  const double share = masked_share(*masks);
  if (share == 0 && config.at("loss").at("area") == "masked")
    fail(Code::usage,
         "mask.ratio: {} hides none of {} x {} cells, so there is nothing to predict; use more, or loss.area=all",
         number_text(config.at("mask").at("ratio")), masks->grid().h, masks->grid().w);
  return share;
}

}  // namespace

void plan_model(Json& plan, Json& config, std::vector<std::string>& warnings) {
  if (const ModelContext on = planned_context(config);
      on.autocast && on.device.is_cpu() && !device_info(on.device).fast_bf16)
    warnings.push_back(
        "precision: this processor has no arithmetic for bf16, which is slower than f32 here; use precision=f32, or "
        "auto");
  const ModelContext meta{.device = at::kMeta};
  if (config.at("stage") != "pretrain") return plan_sizes(plan, config, Classifier(config, plan.at("classes"), meta));
  plan["masked_share"] = planned_share(config);
  const SimMim model(config, meta);
  plan["head_channels"] = model.head_channels();
  if (config["target"].contains("resolution")) config["target"]["resolution"] = model.target().resolution();
  if (config["target"].contains("clusters")) config["target"]["clusters"] = model.target().classes();
  plan_sizes(plan, config, model);
}

}  // namespace simmim
