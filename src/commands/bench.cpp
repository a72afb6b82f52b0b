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
  const bool pretraining = config.at("stage") == "pretrain";
  const AugmentOptions augment = pretraining ? options_of<PretrainOptions>(config, "pretrain").augment
                                             : options_of<FinetuneOptions>(config, "finetune").augment;
  const int64_t batch = config[config.at("stage").get<std::string>()]["batch_size"];
  return loader_rate(*setup.dataset, {.split = Split::train,
                                      .batch_size = std::min(batch, setup.dataset->size(Split::train)),
                                      .image_size = setup.data.image_size,
                                      .workers = setup.workers,
                                      .seed = setup.seed,
                                      .augment = augment,
                                      .eval_crop = eval_crop(setup.data)});
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
