// Swin V2 against timm's: features, logits, loss and every gradient, in float64 (scripts/golden/encoders.py). Weights
// and images are made by the script's formulas.
#include <cmath>

#include "encoders/encoders.h"
#include "golden.h"
#include "model/classifier.h"

namespace simmim {
namespace {

const Json& expected() {
  static const Json json = read_json_file(golden::folder() / "swinv2.json");
  return json;
}

Tensor scatter(at::IntArrayRef shape) {
  const int64_t count = c10::multiply_integers(shape);
  Tensor out = at::empty(shape, at::kDouble);
  for (int64_t i = 0; i < count; ++i)
    out.data_ptr<double>()[i] = static_cast<double>(((37 * i + 101) * i + 7 * count) % 10007) / 10007 * 2 - 1;
  return out;
}

void fill(const NamedTensors& parameters) {
  const at::NoGradGuard no_grad;
  for (const auto& [name, parameter] : parameters) {
    const Tensor t = scatter(parameter.sizes());
    Tensor(parameter).copy_(parameter.dim() == 1 && name.ends_with("weight") ? 1 + 0.1 * t
                            : name.ends_with("logit_scale")                  ? std::log(10.) + 3 * t
                                                                             : 0.2 * t);
  }
}

class Swinv2Golden : public testing::TestWithParam<std::string> {};

TEST_P(Swinv2Golden, IsTimms) {
  const Json& wanted = expected()[GetParam()];
  const bool larger = GetParam() == "larger";
  const int64_t side = larger ? 96 : 64;
  Json encoder = {
      {"name", "swinv2"},        {"patch", 4}, {"dim", 16}, {"depths", {2, 2, 2, 2}}, {"heads", {1, 2, 4, 8}},
      {"window", larger ? 6 : 4}};
  if (larger) encoder["pretrained_window"] = {4, 4, 4, 2};
  const Classifier model({{"data", {{"image_size", side}}}, {"encoder", resolve_encoder(encoder, side)}}, 10,
                         {.dtype = at::kDouble});
  fill(model.parameters());
  EXPECT_EQ(count_elements(model.parameters()), wanted["parameters"].get<int64_t>());

  const Tensor images = scatter({2, 3, side, side});
  const std::vector<double> features = golden::values(model.encoder().forward(images, {}, {}));
  double sum = 0, squares = 0;
  for (const double value : features) sum += value, squares += value * value;
  golden::expect_relative(sum, wanted["features"]["sum"], 1e-9, "sum of the features");
  golden::expect_relative(std::sqrt(squares), wanted["features"]["l2"], 1e-9, "norm of the features");
  for (size_t i = 0; i < 4; ++i) {
    golden::expect_relative(features[i], wanted["features"]["first4"][i], 1e-9, "features");
    golden::expect_relative(features[features.size() - 4 + i], wanted["features"]["last4"][i], 1e-9, "features");
  }

  const Tensor logits = model.logits(images, {.training = true});
  const std::vector<double> logit_values = golden::values(logits);
  ASSERT_EQ(logit_values.size(), wanted["logits"].size());
  for (size_t i = 0; i < logit_values.size(); ++i)
    golden::expect_relative(logit_values[i], wanted["logits"][i], 1e-9, fmt::format("logit {}", i));
  Tensor labels = at::full({2}, 3, at::kLong);
  labels[1].fill_(7);
  const Tensor loss = cross_entropy(logits, labels, 0);
  golden::expect_relative(loss.item<double>(), wanted["loss"], 1e-9, "loss");

  loss.backward();
  EXPECT_EQ(model.parameters().size(), wanted["gradients"].size());
  for (const auto& [name, parameter] : model.parameters())
    golden::expect_relative(golden::gradient_norm({{name, parameter}}), wanted["gradients"].at(name), 1e-9, name);
}

INSTANTIATE_TEST_SUITE_P(Cases, Swinv2Golden, testing::Values("plain", "larger"),
                         [](const auto& row) { return row.param; });

TEST(Swinv2, HasThePublishedNumbersOfParameters) {
  for (const auto& [preset, count] : expected()["published"].items()) {
    NamedTensors parameters;
    const int64_t size = preset == "swinv2_large" ? 192 : 256;
    const Json block = resolve_encoder({{"preset", preset}}, size);
    find_variant(encoders(), block, "encoder")
        .make(block, Scope(parameters, {.device = at::kMeta}), EncoderSite{size, Stage::finetune});
    EXPECT_EQ(count_elements(parameters), count.get<int64_t>()) << preset;
  }
}

}  // namespace
}  // namespace simmim
