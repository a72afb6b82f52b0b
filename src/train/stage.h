// What every stage and every command on a trained model starts from: the images of a configuration as tensors of a
// device and number type.
#pragma once
#include <memory>
#include <string>

#include "core/files.h"
#include "core/launch.h"
#include "data/dataset.h"
#include "data/image.h"
#include "data/loader.h"
#include "data/options.h"
#include "data/statistics.h"
#include "layers/scope.h"
#include "masks/mask.h"

namespace simmim {

struct StageSetup {
  Json config;  // of one stage, resolved
  DataOptions data;
  Normalisation normalisation;
  std::shared_ptr<const Dataset> dataset;
  ModelContext context;
  int64_t workers = 0;
  uint64_t seed = 0;
  Launch launch;  // of the processes that share the run

  // pixels (n,3,S,S) uint8, images [first, last) of them -> (last-first,3,S,S) normalised, on the device.
  Tensor normalise(const std::vector<uint8_t>& pixels, int64_t first, int64_t last) const;
  // Images [first, last) of a batch: normalised, with the rectangles erased that the loader drew.
  Tensor images(const Batch& batch, int64_t first, int64_t last) const;
  // Normalised (n,3,S,S) -> (n,3,S,S) in [0,1] on the CPU.
  Tensor denormalise(const Tensor& images) const;

  // The images of a whole batch that each process computes. Code::usage where they do not divide.
  int64_t own_share(int64_t batch_size) const;
  // Training images without end, shuffled, cropped as `augment` says; this rank's share of each batch.
  LoaderOptions training(int64_t batch_size, const AugmentOptions& augment) const;
  // One pass over a split in its own order, centre crops.
  LoaderOptions evaluation(Split split, int64_t batch_size) const;
};

// needs_data: false leaves `dataset` empty, for images that come from elsewhere.
StageSetup make_setup(const Json& stage_config, const fs::path& site_data, bool needs_data = true,
                      const Launch& launch = {});

// Masks of a training batch's images: each from (seed, epoch, index) alone. -> (B,gh,gw) uint8 on the CPU.
Tensor training_masks(const MaskGenerator& generator, uint64_t seed, int64_t epoch,
                      const std::vector<int64_t>& indices);

// Masks of evaluation: from (seed, index), the same in every epoch and run.
Tensor fixed_masks(const MaskGenerator& generator, uint64_t seed, const std::vector<int64_t>& indices);

// The mask (B,gh,gw) of masks that stand one after another.
Tensor mask_tensor(const std::vector<Mask>& masks, Grid grid);

}  // namespace simmim
