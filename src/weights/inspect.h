// What is in a checkpoint file, for `simmim inspect FILE`.
#pragma once
#include "core/json.h"
#include "weights/tensor_file.h"

namespace simmim {

// {"path", "format", "names", "bytes", "kind", "encoder", "tensors_count", "parameters", "metadata": {..},
//  "tensors": [{"name", "dtype", "shape", "elements"}]}
// names: whose they are, "simmim", "timm", "hf", "simmim or timm" (a ViT under names that both have) or "unknown".
// kind: "pretrain" (a decoder), "finetune" (a head), "features" (an encoder alone), "checkpoint" (ours, with the
// optimizer's state), or "unknown"; encoder: "vit", "swin", "swinv2" or "unknown". parameters: floating-point elements,
// without buffers (attn_mask ...) and without the optimizer's state ("opt.").
Json describe_file(const TensorFile& file);

}  // namespace simmim
