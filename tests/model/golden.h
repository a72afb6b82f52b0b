// What the official code computed: images, masks, checkpoints and numbers of tests/golden (see expected.json "about").
#pragma once
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "core/json.h"
#include "data/image.h"
#include "layers/scope.h"
#include "weights/tensor_file.h"

namespace simmim::golden {

inline fs::path folder() { return fs::path(SIMMIM_SOURCE_DIR) / "tests/golden"; }

inline const Json& expected() {
  static const Json json = read_json_file(folder() / "expected.json");
  return json;
}

// A file's image (1,3,S,S), normalised in the dtype: f64 is the sharp test, so it is f64 from the pixel on.
inline Tensor image(const std::string& file, at::ScalarType dtype) {
  const Image decoded = decode_image_file(folder() / file);
  const Tensor bytes = at::from_blob(const_cast<uint8_t*>(decoded.rgb.data()), {decoded.h, decoded.w, 3}, at::kByte);
  const auto row = [&](const char* key) {
    const auto values = expected()["normalisation"][key].get<std::vector<double>>();
    return at::from_blob(const_cast<double*>(values.data()), {3, 1, 1}, at::kDouble).clone().to(dtype);
  };
  return ((bytes.permute({2, 0, 1}).to(dtype) / 255 - row("mean")) / row("std")).unsqueeze(0).contiguous();
}

// A mask file (1,gh,gw) uint8, 1 = masked.
inline Tensor mask(const std::string& file) {
  const Image decoded = decode_image_file(folder() / file);
  Tensor out = at::empty({1, decoded.h, decoded.w}, at::kByte);
  for (int64_t i = 0; i < decoded.h * decoded.w; ++i)
    out.data_ptr<uint8_t>()[i] = decoded.rgb[static_cast<size_t>(3 * i)] > 127;
  return out;
}

// The tensors of a checkpoint in f64.
inline NamedTensors checkpoint(const std::string& file) {
  const TensorFile opened = TensorFile::open(folder() / file);
  NamedTensors out;
  for (const auto& [name, view] : opened.tensors()) {
    const std::vector<double> values = to_doubles(view);
    out.emplace_back(name, at::from_blob(const_cast<double*>(values.data()), view.shape, at::kDouble).clone());
  }
  return out;
}

// sqrt of the sum of squares of all gradients.
inline double gradient_norm(const NamedTensors& parameters) {
  double sum = 0;
  for (const auto& [name, parameter] : parameters)
    if (parameter.grad().defined()) sum += parameter.grad().to(at::kDouble).square().sum().item<double>();
  return std::sqrt(sum);
}

inline std::vector<double> values(const Tensor& tensor) {
  const Tensor flat = tensor.detach().to(at::kDouble).contiguous().flatten();
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}

inline void expect_relative(double got, double wanted, double tolerance, const std::string& what) {
  EXPECT_LE(std::abs(got - wanted), tolerance * std::abs(wanted)) << what << ": got " << got << ", wanted " << wanted;
}

inline void expect_absolute(double got, double wanted, double tolerance, const std::string& what) {
  EXPECT_LE(std::abs(got - wanted), tolerance) << what << ": got " << got << ", wanted " << wanted;
}

}  // namespace simmim::golden
