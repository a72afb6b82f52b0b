// The official code's numbers at weights and images made of sines (simmim.md 4.5); everything that needs its files is
// in tests/parity.
#include <gtest/gtest.h>

#include <cmath>

#include "model/classifier.h"
#include "model/simmim.h"

namespace simmim {
namespace {

void fill_with_sines(const NamedTensors& parameters) {
  const at::NoGradGuard no_grad;
  for (const auto& [name, parameter] : parameters) {
    const auto k = static_cast<double>(parameter.numel());
    const Tensor s = (at::arange(parameter.numel(), at::kDouble) * 0.1 + 0.01 * k).sin().view(parameter.sizes());
    Tensor value = s * 0.05;
    if (parameter.dim() == 1 && name.ends_with(".weight")) value = 1 + 0.1 * s;
    if (name.find("gamma_") != std::string::npos) value = 0.1 + 0.01 * s;
    if (name.ends_with("relative_position_bias_table")) value = 0.5 * s;
    Tensor(parameter).copy_(value);
  }
}

Tensor sine_images() { return (at::arange(2 * 3 * 64 * 64, at::kDouble) * 0.013).sin().view({2, 3, 64, 64}); }

Tensor sine_mask() {
  Tensor mask = at::empty({2, 2, 2}, at::kByte);
  for (int64_t i = 0; i < 8; ++i) mask.data_ptr<uint8_t>()[i] = (7 * (i / 2 % 2) + 3 * (i % 2) + 5 * (i / 4)) % 5 < 3;
  return mask;
}

// |d| <= 1e-8 |x| + 1e-9 in f64, the precision to which the published numbers are printed.
void expect_printed(double got, double wanted, const char* what) {
  EXPECT_LE(std::abs(got - wanted), 1e-8 * std::abs(wanted) + 1e-9) << what << ": got " << got << ", wanted " << wanted;
}

Json sine_config(const std::string& encoder) {
  const Json vit = {{"name", "vit"}, {"patch", 16}, {"dim", 24}, {"depth", 3}, {"heads", 3}};
  const Json swin = {{"name", "swin"},        {"patch", 4}, {"dim", 16}, {"depths", {2, 2, 2, 2}},
                     {"heads", {1, 2, 4, 8}}, {"window", 4}};
  return {{"data", {{"image_size", 64}}},
          {"encoder", encoder == "vit" ? vit : swin},
          {"mask", {{"name", "random"}, {"patch", 32}, {"ratio", 0.6}}},
          {"head", {{"name", "linear"}}},
          {"target", {{"name", "pixels"}}},
          {"loss", {{"name", "l1"}}}};
}

double value(const Tensor& tensor) { return tensor.item<double>(); }

double gradient_norm(const NamedTensors& parameters) {
  double sum = 0;
  for (const auto& [name, parameter] : parameters) sum += value(parameter.grad().square().sum());
  return std::sqrt(sum);
}

TEST(SineModel, SwinPretrainingHasTheOfficialNumbers) {
  const SimMim model(sine_config("swin"), {.dtype = at::kDouble});
  EXPECT_EQ(count_elements(model.parameters()), 970590);
  fill_with_sines(model.parameters());
  const SimMim::Output out = model.forward(sine_images(), sine_mask(), {});
  const Tensor features = model.encoder().forward(sine_images(), expand_mask(sine_mask(), 16).to(at::kBool), {});
  expect_printed(value(features.sum()), 8.536899146, "encoder sum");
  expect_printed(value(features[0][0][0][0]), -1.873630667, "encoder first");
  expect_printed(value(features[-1][-1][-1][-1]), 1.255086462, "encoder last");
  expect_printed(value(out.prediction.sum()), 0.240487042, "reconstruction sum");
  expect_printed(value(out.prediction[1][2][5][7]), 0.688068481, "reconstruction [1,2,5,7]");
  expect_printed(value(out.loss), 0.709230521, "loss");
  out.loss.backward();
  expect_printed(gradient_norm(model.parameters()), 5.563192324, "gradient norm");
}

TEST(SineModel, VitPretrainingHasTheOfficialNumbers) {
  const SimMim model(sine_config("vit"), {.dtype = at::kDouble});
  EXPECT_EQ(count_elements(model.parameters()), 59652);
  fill_with_sines(model.parameters());
  const SimMim::Output out = model.forward(sine_images(), sine_mask(), {});
  const Tensor features = model.encoder().forward(sine_images(), expand_mask(sine_mask(), 4).to(at::kBool), {});
  expect_printed(value(features.sum()), 38.662490990, "encoder sum");
  expect_printed(value(features[-1][-1][-1][-1]), -1.081352182, "encoder last");
  expect_printed(value(out.loss), 0.656085617, "loss");
}

TEST(SineModel, ClassifiersHaveTheOfficialLogits) {
  const Classifier swin(sine_config("swin"), 10, {.dtype = at::kDouble}),
      vit(sine_config("vit"), 10, {.dtype = at::kDouble});
  EXPECT_EQ(count_elements(vit.parameters()), 40990);
  fill_with_sines(swin.parameters());
  fill_with_sines(vit.parameters());
  const double of_swin[] = {0.425327810, 0.540480292, 0.626706329, 0.679535576};
  const double of_vit[] = {-0.089799883, 0.015875146, 0.100804849, -0.113345013};
  const Tensor swin_logits = swin.logits(sine_images(), {}), vit_logits = vit.logits(sine_images(), {});
  for (int64_t i = 0; i < 4; ++i) {
    expect_printed(value(swin_logits[1][i]), of_swin[i], "Swin logits");
    expect_printed(value(vit_logits[1][i]), of_vit[i], "ViT logits");
  }
}

}  // namespace
}  // namespace simmim
