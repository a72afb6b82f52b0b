// The colour centres of target color_clusters, fitted to the training images.
#pragma once
#include "model/simmim.h"
#include "targets/color_clusters.h"
#include "targets/kmeans.h"
#include "train/stage.h"

namespace simmim {

struct FittedColors {
  KMeans clusters;  // in -1 .. 1
  int64_t images = 0, colors = 0;
};

// Draws colours of the training images of `setup`, averaged to `resolution` pixels a side, and clusters them. progress:
// of images read and mini-batches done.
FittedColors fit_colors(const StageSetup& setup, const ClusterFit& options, int64_t clusters, int64_t resolution,
                        const std::function<void(int64_t done, int64_t total)>& progress);

// Fills the model's target.centers where they are to be fitted: from OUT/shared, where the first run that needs them
// puts them. Runs that agree on the data, the number of centres, the resolution and the fit's options share them.
// -> a sentence for the log, or "".
std::string fill_centers(const SimMim& model, const StageSetup& setup, const fs::path& out);

}  // namespace simmim
