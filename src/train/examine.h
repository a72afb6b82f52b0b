// What a step that went wrong looked like inside, for crash/.
#pragma once
#include <functional>

#include "core/json.h"
#include "data/loader.h"
#include "layers/step.h"
#include "layers/torch.h"

namespace simmim {

// {"images": names, "image_loss": numbers} of a training batch; losses (B), of each image.
Json examine_images(const Dataset& dataset, const Batch& batch, const Tensor& losses);

// Runs `forward` on the step's whole batch once more, as training did but without gradients, and looks at what each
// block leaves: [{"block": 1, "largest_activation": x}, ...], in a file null where x is not finite.
Json examine_blocks(StepContext step, const std::function<void(const StepContext& step)>& forward);

}  // namespace simmim
