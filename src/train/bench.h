// How fast a configuration trains on this machine, on data that are already in memory.
#pragma once
#include "core/files.h"
#include "core/json.h"
#include "layers/torch.h"

namespace simmim {

// GFLOP/s at which a stage of this configuration will train here, for an estimate of its time: the rate of a product as
// its MLPs have it, in its number type, measured now (a tenth of a second, once a process), times the share of it that
// whole steps reach. 0 for a GPU that is not here.
double expected_gflops(const Json& config);

// One optimizer step (normalise, mask, forward, backward, AdamW) of a "pretrain" or "finetune" configuration, repeated.
// -> {"images_per_second" (median), "step_seconds" {median,min,max}, "gflops" (achieved), "peak_gflops" (a large matrix
// product of the same number type, measured in the same run), "share_of_peak", "share_of_products" (of the rate of its
// own products, see expected_gflops), "memory" (bytes at the peak), "steps",
// "batch_size", "threads", "precision", "device", "parameters"}
Json bench_step(const Json& config);

}  // namespace simmim
