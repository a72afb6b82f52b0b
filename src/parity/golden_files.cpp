#include "parity/golden_files.h"

#include <cmath>

#include "config/checkpoint_config.h"
#include "core/error.h"
#include "data/image.h"

namespace simmim {

GoldenFiles::GoldenFiles(fs::path folder) : folder_(std::move(folder)) {
  if (!fs::is_regular_file(folder_ / "expected.json"))
    fail(Code::data, "{}: no expected.json, so these are no golden files; name their folder with --golden",
         folder_.string());
  expected_ = json("expected.json");
}

Tensor GoldenFiles::image(const std::string& file, at::ScalarType dtype) const {
  const Image decoded = decode_image_file(folder_ / file);
  const Tensor bytes = at::from_blob(const_cast<uint8_t*>(decoded.rgb.data()), {decoded.h, decoded.w, 3}, at::kByte);
  const auto row = [&](const char* key) {
    const auto values = expected_.at("normalisation").at(key).get<std::vector<double>>();
    return at::from_blob(const_cast<double*>(values.data()), {3, 1, 1}, at::kDouble).clone().to(dtype);
  };
  return ((bytes.permute({2, 0, 1}).to(dtype) / 255 - row("mean")) / row("std")).unsqueeze(0).contiguous();
}

Tensor GoldenFiles::mask(const std::string& file) const {
  const Image decoded = decode_image_file(folder_ / file);
  Tensor out = at::empty({1, decoded.h, decoded.w}, at::kByte);
  for (int64_t i = 0; i < decoded.h * decoded.w; ++i)
    out.data_ptr<uint8_t>()[i] = decoded.rgb[static_cast<size_t>(3 * i)] > 127;
  return out;
}

Json golden_config(const TensorFile& weights) {
  Json config = checkpoint_config(weights);
  config["data"] = {{"image_size", config["data"]["image_size"]}};  // the images come normalised
  config["mask"] = {{"patch", 32}};                                 // every golden mask grid is finer or as fine
  config["head"] = {{"name", "linear"}};
  config["target"] = {{"name", "pixels"}};
  config["loss"] = {{"name", "l1"}};
  return config;
}

std::vector<double> values_of(const Tensor& tensor) {
  const Tensor flat = tensor.detach().to(at::kDouble).contiguous().flatten();
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}

double gradient_norm(const NamedTensors& parameters) {
  double sum = 0;
  for (const auto& [name, parameter] : parameters)
    if (parameter.grad().defined()) sum += parameter.grad().to(at::kDouble).square().sum().item<double>();
  return std::sqrt(sum);
}

}  // namespace simmim
