// How fast a configuration trains on this machine, on data that are already in memory.
#pragma once
#include "core/files.h"
#include "core/json.h"
#include "layers/torch.h"

namespace simmim {

struct ProductShape {
  int64_t rows, in, out;
};
// GFLOP/s of a matrix product (rows,in) x (in,out), the best of a few.
double product_rate(at::ScalarType dtype, at::Device device, const ProductShape& shape);

// One optimizer step (normalise, mask, forward, backward, AdamW) of a "pretrain" or "finetune" configuration, repeated.
// -> {"images_per_second" (median), "step_seconds" {median,min,max}, "gflops" (achieved), "peak_gflops" (a large matrix
// product of the same number type, measured in the same run), "share_of_peak", "memory" (bytes at the peak), "steps",
// "batch_size", "threads", "precision", "device", "parameters"}
Json bench_step(const Json& config);

}  // namespace simmim
