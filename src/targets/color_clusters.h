// Each pixel as the nearest of K colours, as in iGPT (openai/image-gpt src/utils.py): a classification of 512 classes.
#pragma once
#include "core/files.h"
#include "targets/color_bins.h"

namespace simmim {

// How the centres are fitted to the training images: mini-batch k-means from k-means++ (targets/kmeans.h).
struct ClusterFit {
  int64_t images = 10000, colors = 100, steps = 500, batch = 4096, seed = 0;
  static void fields(auto& o, auto&& visit) {
    visit("images", o.images, "training images that colours are drawn from, at most; evenly spread, centre crops",
          FieldRule{.min = 1});
    visit("colors", o.colors, "colours drawn of each, out of the image averaged to target.resolution",
          FieldRule{.min = 1});
    visit("steps", o.steps, "mini-batches of k-means", FieldRule{.min = 0});
    visit("batch", o.batch, "colours a mini-batch", FieldRule{.min = 1});
    visit("seed", o.seed, "seed of the fit, the same for every run so that they share it", FieldRule{.min = 0});
  }
};

class ColorClusters : public Target {
 public:
  struct Options : ClassResolution {
    std::optional<int64_t> clusters;
    std::string centers = "fit";
    ClusterFit fit;
    static void fields(auto& o, auto&& visit) {
      ClassResolution::fields(o, visit);
      visit("clusters", o.clusters, "number of colours; auto: 512, or as many as the file has", FieldRule{.min = 2});
      visit("centers", o.centers,
            "the colours: fit (to the training images, once for all runs that agree on it), a .npy file of shape [K,3] "
            "with values from -1 to 1 such as iGPT's, a file of `simmim data fit-clusters`, or checkpoint (those of "
            "--from)",
            FieldRule{.choices = {"fit", "checkpoint"}, .file = true});
      visit("fit", o.fit, "centers=fit: how");
    }
  };

  // Reads the centres where they are a file; otherwise they are zeros until somebody fills constants().
  ColorClusters(const Options& options, const TargetSite& site);

  // Colours are averaged, mapped to x / 127.5 - 1, and each gets the number of the nearest centre (squared Euclidean).
  Tensor of(const Tensor& images) const override;
  int64_t resolution() const override { return resolution_; }
  int64_t channels() const override { return 1; }
  int64_t classes() const override { return centers_.size(0); }
  NamedTensors constants() const override { return {{"target.centers", centers_}}; }
  Tensor draw(const Tensor& prediction, const Tensor& images) const override;  // the likeliest colours

 private:
  int64_t resolution_;
  ColorScale scale_;
  Tensor centers_;  // (K,3)
};

// A file of centres: .npy, or .safetensors with a tensor "centers". -> (K,3) row by row. Code::data with what is wrong.
std::vector<float> read_centers(const fs::path& path);
// By suffix: .safetensors, else as .npy.
void write_centers(const fs::path& path, const std::vector<float>& centers);

}  // namespace simmim
