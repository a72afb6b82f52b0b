// Batches of images, decoded ahead of time by threads. What a batch holds depends only on (seed, epoch, step): order,
// crop, flip and everything else that is drawn come from counters, so any step can be reproduced alone, and the number
// of workers changes nothing.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "data/augment.h"
#include "data/dataset.h"
#include "data/perturb.h"

namespace simmim {

struct LoaderOptions {
  Split split = Split::train;
  int64_t batch_size = 64;
  int64_t image_size = 32;
  int64_t workers = 1;  // threads; 0: next() decodes itself
  uint64_t seed = 0;
  AugmentOptions augment;            // enabled=false: centre crop
  PerturbOptions perturb = {};       // acts where augment is enabled
  std::array<uint8_t, 3> fill = {};  // R G B of what perturb moves into the image
  double eval_crop = 1.0;            // see data.eval_crop
  bool shuffle = true;               // a new order each epoch; false: as stored
  bool drop_last = true;             // no smaller batch at the end of an epoch
  bool endless = true;               // epoch after epoch; false: next() ends after one
  std::vector<int64_t> subset = {};  // indices of the split to use; empty: all
  bool fail_on_error = false;        // an unreadable image is an error instead of skipped
  // Of each batch of batch_size images only part `share` of `shares` equal ones (several processes); needs drop_last.
  int64_t share = 0, shares = 1;
};

struct Batch {
  int64_t epoch = 0, step = 0;                 // step within the epoch
  int64_t first = 0, whole = 0;                // place of the first image in the whole batch, and that one's size
  std::vector<uint8_t> pixels;                 // (B,3,S,S)
  std::vector<int64_t> labels;                 // (B), -1: none
  std::vector<int64_t> indices;                // (B), of the split
  std::vector<std::vector<Erasure>> erasures;  // (B), to be made in the normalised images
  double wait_seconds = 0;                     // how long next() waited for this batch
  int64_t size() const { return static_cast<int64_t>(labels.size()); }
};

struct SkippedImage {
  int64_t index;
  std::string message;  // name and reason
};

class Loader {
 public:
  // Usage error where the split is empty or, with drop_last, smaller than one batch. `dataset` must outlive the loader.
  Loader(const Dataset& dataset, LoaderOptions options);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  int64_t images() const;  // of the split or subset
  int64_t steps_per_epoch() const;

  // The next batch is (epoch, step). Without it a loader begins at (0, 0).
  void seek(int64_t epoch, int64_t step);

  // The next batch, valid until the next call of next() or seek(); nullptr at the end of a finite loader (seek to begin
  // again). An unreadable image is skipped: when shuffling, the next readable image in the epoch's order takes its
  // place (with its own crop), otherwise the batch is smaller by one. Errors of the workers are thrown here.
  const Batch* next();

  // Images that could not be read so far, each once, by index.
  std::vector<SkippedImage> skipped() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Threads for data.workers=auto: most cores where an accelerator computes, else a few beside the computing threads.
int64_t default_workers(bool accelerator);

}  // namespace simmim
