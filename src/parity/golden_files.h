// What the official code computed (microsoft/SimMIM d3e29bc): images, masks, checkpoints and numbers. They lie in
// tests/golden of the source tree and in share/simmim/golden where the program is installed; README.md there says how
// they were made.
#pragma once
#include <string>

#include "core/files.h"
#include "core/json.h"
#include "layers/scope.h"
#include "weights/tensor_file.h"

namespace simmim {

class GoldenFiles {
 public:
  explicit GoldenFiles(fs::path folder);  // Code::data if this is no folder of golden files

  const Json& expected() const { return expected_; }  // expected.json
  Json json(const std::string& file) const { return read_json_file(folder_ / file); }
  TensorFile weights(const std::string& file) const { return TensorFile::open(folder_ / file); }

  // (1,3,S,S), normalised in the dtype: f64 is the sharp comparison, so it is f64 from the pixel on.
  Tensor image(const std::string& file, at::ScalarType dtype) const;
  Tensor mask(const std::string& file) const;  // (1,gh,gw) uint8, 1 = masked

 private:
  fs::path folder_;
  Json expected_;
};

// The configuration of a golden checkpoint's model: its encoder and image size, and SimMIM's head, target and loss.
Json golden_config(const TensorFile& weights);

std::vector<double> values_of(const Tensor& tensor);   // row-major
double gradient_norm(const NamedTensors& parameters);  // the square root of the sum of squares of all gradients

}  // namespace simmim
