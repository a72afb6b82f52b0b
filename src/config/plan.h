// What a run comes to before it starts: images, steps, parameters, FLOPs.
#pragma once
#include <string>
#include <vector>

#include "config/stages.h"
#include "core/files.h"
#include "data/options.h"
#include "layers/scope.h"

namespace simmim {

struct DataSizes {
  int64_t train = 0, val = 0, test = 0, classes = 0;  // images; classes 0: unlabelled
  std::string fingerprint;
};

// Sizes from the files, or from data.images and data.classes where they are not at hand (one of `warnings` then says
// so, and the fingerprint is "provisional").
DataSizes data_sizes(const DataOptions& options, const fs::path& site_data, std::vector<std::string>& warnings);

// {"steps","steps_per_epoch","epochs","images","peak_lr"} of a training stage on so many images. Code::usage where
// there would be no step, or the warm-up is as long as the run. given: the stage's block as it was read into `options`;
// a warm-up that it does not name is cut to a tenth of a run that is no longer than the default.
Json plan_steps(TrainOptions& options, int64_t images, const Json& given, const std::string& stage);

// What a training step costs in forward passes: three, and one more where activations are computed again.
double step_passes(const Json& config);

// What a stage's model computes with; a GPU that is not here counts as one.
ModelContext planned_context(const Json& config);

// Adds to a plan with its images and epochs what the model of a resolved stage configuration makes of them:
// "parameters", "flops_per_image", "flops" of the whole run, "device" (cpu or cuda), and for a stage that trains
// "accumulate", and "memory" and "disk" in bytes; for pre-training "masked_share" (what mask.ratio comes to) and
// "head_channels" (what the head puts out for a cell). Builds the model without memory, so that every size is checked
// by whoever owns it; target.resolution and target.clusters become what the target makes of them. A precision that is
// slow here is one of `warnings`.
void plan_model(Json& plan, Json& config, std::vector<std::string>& warnings);

}  // namespace simmim
