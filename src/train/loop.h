// The training loop of pre-training and fine-tuning: batches in counter order, accumulation, the guarded optimizer
// step, the journal, checkpoints, and resuming any of it bit for bit.
#pragma once
#include <functional>

#include "config/stages.h"
#include "data/loader.h"
#include "layers/step.h"
#include "parallel/buckets.h"
#include "train/average.h"
#include "train/optimizer.h"
#include "train/progress.h"
#include "train/session.h"
#include "weights/tensor_file.h"

namespace simmim {

// What a stage brings to the loop.
struct TrainTask {
  const TrainOptions& options;
  int64_t steps = 0;   // optimizer steps of the whole run
  int64_t pieces = 1;  // pieces that a process computes its share of a batch in
  uint64_t seed = 0;
  Schedule schedule;
  Loader& loader;
  NamedTensors parameters;
  GradientBuckets& gradients;  // made before the optimizer
  AdamW& optimizer;
  WeightAverage* average = nullptr;  // null: the weights themselves count
  NamedTensors constants = {};       // of the model, fitted before: saved beside the parameters
  Metadata description;              // goes into every checkpoint: stage, configuration, normalisation

  // Images [first, last) of a batch -> their share of the whole batch's loss (0-d, with a graph).
  std::function<Tensor(const Batch& batch, int64_t first, int64_t last, const StepContext& step)> loss;
  // After an epoch (from 1): metrics for the journal ("val.loss"), or an empty object. The parameters hold what
  // counts: the trained weights, or their average. Of several processes the first alone is asked.
  std::function<Json(int64_t epoch, bool last)> evaluate;
  // Each image's loss and other facts of a batch that went wrong, for crash/; "blocks" as examine_blocks gives them.
  std::function<Json(const Batch& batch, const StepContext& step)> examine;
  // Which block a parameter belongs to: 0 before the first, 1 .. n, n + 1 after the last.
  std::function<int64_t(std::string_view name)> block_of;
};

enum class Ending { done, interrupted };

// Of several processes that share the run (session.group()) each computes its share of every batch, all take the same
// steps and end at the same one, and the first alone writes. Which they are changes nothing but the rounding of sums.
//
// Trains from the run folder's last.safetensors, or from the start, to the end, and leaves final weights (their
// average, if there is one) in the parameters. `progress` is shared with the stage (extra). Throws Code::run_failed
// after max_skipped_steps non-finite steps in a row, Code::data when a checkpoint cannot be written.
Ending train(Session& session, const TrainTask& task, Progress& progress);

// Tells which images could not be read, each once, whichever processes met it. Returns how many, on the first.
int64_t tell_skipped(Session& session, const Loader& loader);

// Weights alone, for final.safetensors and kept epochs: equal runs give equal bytes.
void save_weights(const fs::path& path, const NamedTensors& tensors, const Metadata& description);

}  // namespace simmim
