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
  const auto loading = [&](const auto& options) {
    return setup.training(std::min(options.batch_size, setup.dataset->size(Split::train)), options.augment);
  };
  if (config.at("stage") == "pretrain")
    return loader_rate(*setup.dataset, loading(options_of<PretrainOptions>(config, "pretrain")));
  const auto options = options_of<FinetuneOptions>(config, "finetune");
  LoaderOptions perturbed = loading(options);
  perturbed.perturb = options.augment;
  return loader_rate(*setup.dataset, perturbed);
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
