#include "train/fit_clusters.h"

#include "config/run_id.h"
#include "core/rng.h"
#include "train/shared_file.h"

namespace simmim {
namespace {

constexpr int64_t kBatch = 64;
constexpr int kVersion = 1;  // raised when the same options give other centres

ColorClusters::Options options_of_target(const Json& config) {
  ColorClusters::Options options;
  read_fields(options, config.at("target"), "target", {"name"});
  return options;
}

// What the fitted centres depend on. The images are seen as they are, whatever they are normalised by.
Json determined_by(const StageSetup& setup, const ColorClusters::Options& options, int64_t resolution) {
  Json data = essential(setup.config).value("data", Json::object());
  data.erase("mean");
  data.erase("std");
  return {{"version", kVersion},
          {"data", data},
          {"fingerprint", setup.dataset->fingerprint()},
          {"clusters", *options.clusters},
          {"resolution", resolution},
          {"fit", write_fields(options.fit)}};
}

}  // namespace

FittedColors fit_colors(const StageSetup& setup, const ClusterFit& options, int64_t clusters, int64_t resolution,
                        const std::function<void(int64_t, int64_t)>& progress) {
  const int64_t S = setup.data.image_size, size = setup.dataset->size(Split::train);
  const int64_t images = std::min(size, options.images), pixels = resolution * resolution;
  const auto seed = static_cast<uint64_t>(options.seed);
  LoaderOptions loading = setup.evaluation(Split::train, kBatch);
  for (int64_t i = 0; i < images; ++i) loading.subset.push_back(i * size / images);
  Loader loader(*setup.dataset, loading);
  FittedColors out;
  std::vector<float> colors;
  while (const Batch* batch = loader.next()) {
    const Tensor bytes =
        at::from_blob(const_cast<uint8_t*>(batch->pixels.data()), {batch->size(), 3, S, S}, at::kByte).to(at::kFloat);
    const Tensor mapped =
        average_squares(bytes, resolution).div(127.5).sub(1).permute({0, 2, 3, 1}).contiguous();  // (n,r,r,3)
    for (int64_t i = 0; i < batch->size(); ++i) {
      const float* of_image = mapped.const_data_ptr<float>() + i * pixels * 3;
      Rng rng(seed, "cluster colours", 0, static_cast<uint64_t>(batch->indices[static_cast<size_t>(i)]));
      const bool all = pixels <= options.colors;
      for (int64_t k = 0; k < std::min(pixels, options.colors); ++k) {
        const int64_t at = all ? k : static_cast<int64_t>(rng.below(static_cast<uint64_t>(pixels)));
        colors.insert(colors.end(), of_image + 3 * at, of_image + 3 * at + 3);
      }
    }
    out.images += batch->size();
    progress(out.images, images + options.steps);
  }
  out.colors = static_cast<int64_t>(colors.size() / 3);
  out.clusters =
      fit_kmeans(colors, {.clusters = clusters,
                          .steps = options.steps,
                          .batch = options.batch,
                          .seed = seed,
                          .progress = [&](int64_t step, int64_t) { progress(images + step, images + options.steps); }});
  return out;
}

std::string fill_centers(const SimMim& model, const StageSetup& setup, const fs::path& out) {
  const Json& block = setup.config.at("target");
  if (block.value("name", "") != "color_clusters" || block.value("centers", "") != "fit") return "";
  ColorClusters::Options options = options_of_target(setup.config);
  const int64_t resolution = model.target().resolution();
  options.clusters = model.target().classes();
  std::string how = "fitted before";
  const fs::path file =
      shared_file(out, "centers", determined_by(setup, options, resolution), ".safetensors", [&](const fs::path& path) {
        const FittedColors fitted =
            fit_colors(setup, options.fit, *options.clusters, resolution, [](int64_t, int64_t) {});
        write_centers(path, fitted.clusters.centers);
        how = fmt::format("fitted to {} colours of {} images, inertia {:.4g}", fitted.colors, fitted.images,
                          fitted.clusters.inertia);
      });
  std::vector<float> centers = read_centers(file);
  const Tensor values = at::from_blob(centers.data(), {*options.clusters, 3}, at::kFloat);
  for (const auto& [name, tensor] : model.target().constants()) Tensor(tensor).copy_(values);
  return fmt::format("{} colour centres, {}: {}", *options.clusters, how, file.string());
}

}  // namespace simmim
