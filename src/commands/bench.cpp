#include "train/bench.h"

#include "commands/commands.h"
#include "config/stages.h"
#include "core/error.h"
#include "data/info.h"
#include "train/stage.h"

namespace simmim {
namespace {

// The loader of a stage's training images, as that stage would read them.
Json bench_loader(const Json& config) {
  const StageSetup setup = make_setup(config, site_data_folder());
  LoaderOptions loading{.split = Split::train,
                        .image_size = setup.data.image_size,
                        .workers = setup.workers,
                        .seed = setup.seed,
                        .fill = fill_of(setup.normalisation.mean),
                        .eval_crop = eval_crop(setup.data)};
  const auto take = [&](const auto& options) {
    loading.batch_size = std::min(options.batch_size, setup.dataset->size(Split::train));
    loading.augment = options.augment;
  };
  if (config.at("stage") == "pretrain") {
    take(options_of<PretrainOptions>(config, "pretrain"));
  } else {
    const auto options = options_of<FinetuneOptions>(config, "finetune");
    take(options);
    loading.perturb = options.augment;
  }
  return loader_rate(*setup.dataset, loading);
}

}  // namespace

Json bench_command(const Json& request, const EventSink&) {
  const std::string what = request.at("what");
  const Json config = model_config(resolve_request(request), request.value("stage", "pretrain"));
  if (what == "step") return bench_step(config);
  if (what == "loader") return bench_loader(config);
  fail(Code::usage, "bench: unknown measurement '{}'; allowed: step or loader", what);
}

}  // namespace simmim
