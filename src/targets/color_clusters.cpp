#include "targets/color_clusters.h"

#include "core/error.h"
#include "weights/npy.h"
#include "weights/tensor_file.h"

namespace simmim {
namespace {

constexpr int64_t kDefaultClusters = 512;
constexpr int64_t kRows = 16384;  // colours whose distances to all centres are held at a time

bool is_file(const ColorClusters::Options& options) {
  return options.centers != "fit" && options.centers != "checkpoint";
}

Tensor make_centers(const ColorClusters::Options& options, const ModelContext& context) {
  const at::TensorOptions tensor = at::TensorOptions(context.dtype).device(context.device);
  if (!is_file(options)) return at::zeros({options.clusters.value_or(kDefaultClusters), 3}, tensor);
  std::vector<float> values = read_centers(options.centers);
  const auto K = static_cast<int64_t>(values.size() / 3);
  if (options.clusters && *options.clusters != K)
    fail(Code::usage, "target.clusters: got {}, but {} has {} centres; leave clusters out or name another file",
         *options.clusters, options.centers, K);
  return at::from_blob(values.data(), {K, 3}, at::kFloat).to(tensor, /*non_blocking=*/false, /*copy=*/true);
}

}  // namespace

ColorClusters::ColorClusters(const Options& options, const TargetSite& site)
    : resolution_(options.fit_to(site)), scale_(site), centers_(make_centers(options, site.context)) {}

Tensor ColorClusters::of(const Tensor& images) const {
  const Tensor colors = average_squares(scale_.bytes(images), resolution_).div(127.5).sub(1);
  const Tensor rows = colors.permute({0, 2, 3, 1}).reshape({-1, 3});  // (B*r*r,3)
  // |x - c|^2 less |x|^2, which is the same for every centre.
  const Tensor length = centers_.square().sum(1), across = centers_.t();
  std::vector<Tensor> nearest;
  for (const Tensor& part : rows.split(kRows)) nearest.push_back(at::addmm(length, part, across, 1, -2).argmin(1));
  return at::cat(nearest).view({images.size(0), 1, resolution_, resolution_});
}

Tensor ColorClusters::draw(const Tensor& prediction, const Tensor&) const {
  const Tensor chosen = likeliest(prediction, 1).squeeze(1);  // (B,r,r)
  const Tensor colors = centers_.index_select(0, chosen.flatten()).view({chosen.size(0), resolution_, resolution_, 3});
  return scale_.normalised((colors + 1).mul_(127.5).permute({0, 3, 1, 2}));
}

std::vector<float> read_centers(const fs::path& path) {
  std::vector<int64_t> shape;
  std::vector<double> values;
  if (path.extension() == ".safetensors") {
    const TensorFile file = TensorFile::open(path);
    const TensorView* view = file.find("centers");
    if (view == nullptr)
      fail(Code::data, "{}: no tensor 'centers' in this file; `simmim data fit-clusters -o FILE` writes one",
           path.string());
    shape = view->shape;
    values = to_doubles(*view);
  } else {
    NpyArray array = read_npy(path);
    shape = std::move(array.shape);
    values = std::move(array.values);
  }
  if (shape.size() != 2 || shape[0] < 2 || shape[1] != 3)
    fail(Code::data, "{}: got an array of shape {}; allowed: [K, 3] with K of at least 2", path.string(),
         shape_text(shape));
  for (const double value : values)
    if (!(value >= -1.001 && value <= 1.001))
      fail(Code::data, "{}: got a centre with the value {}; allowed: -1 to 1, an 8-bit colour v being v / 127.5 - 1",
           path.string(), value);
  return {values.begin(), values.end()};
}

void write_centers(const fs::path& path, const std::vector<float>& centers) {
  const auto K = static_cast<int64_t>(centers.size() / 3);
  if (path.extension() != ".safetensors") return write_npy(path, {K, 3}, centers);
  const std::string_view bytes(reinterpret_cast<const char*>(centers.data()), centers.size() * sizeof(float));
  write_safetensors(path, {{"centers", {DType::f32, {K, 3}, bytes}}});
}

}  // namespace simmim
