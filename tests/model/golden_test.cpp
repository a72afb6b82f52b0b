// Parity with the official code: checkpoints in, its losses, gradient norms, features, reconstructions and logits out.
// The tolerances are those of expected.json.
#include "golden.h"

#include <cmath>

#include "model/classifier.h"
#include "model/simmim.h"

namespace simmim {
namespace {

Json tiny_config(const std::string& encoder) {
  const Json vit = {{"name", "vit"}, {"patch", 16}, {"dim", 32}, {"depth", 2}, {"heads", 2}};
  const Json swin = {{"name", "swin"},        {"patch", 4}, {"dim", 8}, {"depths", {2, 2, 2, 2}},
                     {"heads", {1, 2, 4, 8}}, {"window", 4}};
  return {{"data", {{"image_size", 64}}},
          {"encoder", encoder == "vit" ? vit : swin},
          {"mask", {{"name", "random"}, {"patch", encoder == "vit" ? 16 : 32}, {"ratio", 0.6}}},
          {"head", {{"name", "linear"}}},
          {"target", {{"name", "pixels"}}},
          {"loss", {{"name", "l1"}}}};
}

// The number type, the device, and whether the training path (masked cells only) computes the loss.
struct Case {
  std::string encoder;
  at::ScalarType dtype;
  bool training;
  bool exact() const { return dtype == at::kDouble; }
};

std::string case_name(const testing::TestParamInfo<Case>& info) {
  return info.param.encoder + (info.param.exact() ? "_f64" : "_f32") + (info.param.training ? "_training" : "_eval");
}

class Golden : public testing::TestWithParam<Case> {};

TEST_P(Golden, PretrainingForwardAndGradientAreTheOfficialOnes) {
  const Case& c = GetParam();
  const Json& wanted = golden::expected()["pretrain_forward"][c.encoder];
  const SimMim model(tiny_config(c.encoder), {.dtype = c.dtype});
  EXPECT_EQ(count_elements(model.parameters()), wanted["params"].get<int64_t>());
  const LoadReport report = load_parameters(model.parameters(), golden::checkpoint(wanted["checkpoint"]));
  EXPECT_TRUE(report.missing.empty() && report.reshaped.empty());

  for (const auto& [file, numbers] : wanted["images"].items()) {
    const Json& truth = numbers["f64"];
    const auto close = [&](double got, const Json& value, double f32, const char* what) {
      if (c.exact())
        golden::expect_relative(got, value, 1e-9, file + " " + what);
      else
        golden::expect_absolute(got, value, f32, file + " " + what);
    };
    const Tensor image = golden::image(file, c.dtype), mask = golden::mask(numbers["mask"]);
    for (const auto& [name, parameter] : model.parameters()) parameter.mutable_grad().reset();
    const SimMim::Output out = model.forward(image, mask, {.training = c.training});
    out.loss.backward();
    golden::expect_relative(out.loss.item<double>(), truth["loss"], c.exact() ? 1e-9 : 1e-6, file + " loss");
    golden::expect_relative(golden::gradient_norm(model.parameters()), truth["grad_norm"], c.exact() ? 1e-9 : 1e-5,
                            file + " grad_norm");
    if (c.training) continue;
    golden::expect_relative(out.image_loss.item<double>(), truth["loss"], c.exact() ? 1e-9 : 1e-6,
                            file + " image loss");

    const Tensor hidden = expand_mask(mask, 64 / model.encoder().patch()).to(at::kBool);
    const std::pair<const char*, Tensor> parts[] = {{"encoder", model.encoder().forward(image, hidden, {})},
                                                    {"reconstruction", out.prediction}};
    for (const auto& [part, tensor] : parts) {
      const Json& numbers_of_part = truth[part];
      EXPECT_EQ(tensor.sizes().slice(1).vec(), numbers_of_part["shape"].get<std::vector<int64_t>>());
      const std::vector<double> values = golden::values(tensor);
      for (size_t i = 0; i < 4; ++i) {
        close(values[i], numbers_of_part["first4"][i], 1e-5, part);
        close(values[values.size() - 4 + i], numbers_of_part["last4"][i], 1e-5, part);
      }
      close(tensor.to(at::kDouble).mean().item<double>(), numbers_of_part["mean"], 1e-6, part);
      golden::expect_relative(tensor.to(at::kDouble).norm().item<double>(), numbers_of_part["l2"],
                              c.exact() ? 1e-9 : 1e-6, part);
    }
  }
}

TEST_P(Golden, ClassifierLogitsAreTheOfficialOnes) {
  const Case& c = GetParam();
  const Json& wanted = golden::expected()["finetune_logits"][c.encoder];
  const Classifier model(tiny_config(c.encoder), 5, {.dtype = c.dtype});
  EXPECT_EQ(count_elements(model.parameters()), wanted["params"].get<int64_t>());
  const LoadReport report = load_parameters(model.parameters(), golden::checkpoint(wanted["checkpoint"]));
  EXPECT_TRUE(report.missing.empty() && report.reshaped.empty());
  for (const auto& [file, numbers] : wanted["images"].items()) {
    const std::vector<double> logits =
        golden::values(model.logits(golden::image(file, c.dtype), {.training = c.training}));
    ASSERT_EQ(logits.size(), 5u);
    for (size_t i = 0; i < 5; ++i)
      golden::expect_absolute(logits[i], numbers["f64"][i], c.exact() ? 1e-9 : 5e-6, file + " logits");
  }
}

INSTANTIATE_TEST_SUITE_P(Official, Golden,
                         testing::Values(Case{"vit", at::kDouble, false}, Case{"vit", at::kDouble, true},
                                         Case{"vit", at::kFloat, false}, Case{"vit", at::kFloat, true},
                                         Case{"swin", at::kDouble, false}, Case{"swin", at::kDouble, true},
                                         Case{"swin", at::kFloat, false}, Case{"swin", at::kFloat, true}),
                         case_name);

// --- Values of the official code at weights and images made of sines (no files). ---

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
  Json config = tiny_config(encoder);
  config["mask"]["patch"] = 32;
  if (encoder == "vit")
    config["encoder"].update({{"dim", 24}, {"depth", 3}, {"heads", 3}});
  else
    config["encoder"]["dim"] = 16;
  return config;
}

TEST(SineModel, SwinPretrainingHasTheOfficialNumbers) {
  const SimMim model(sine_config("swin"), {.dtype = at::kDouble});
  EXPECT_EQ(count_elements(model.parameters()), 970590);
  fill_with_sines(model.parameters());
  const SimMim::Output out = model.forward(sine_images(), sine_mask(), {});
  const Tensor features = model.encoder().forward(sine_images(), expand_mask(sine_mask(), 16).to(at::kBool), {});
  const std::vector<double> values = golden::values(features);
  expect_printed(features.sum().item<double>(), 8.536899146, "encoder sum");
  expect_printed(values.front(), -1.873630667, "encoder first");
  expect_printed(values.back(), 1.255086462, "encoder last");
  expect_printed(out.prediction.sum().item<double>(), 0.240487042, "reconstruction sum");
  expect_printed(out.prediction[1][2][5][7].item<double>(), 0.688068481, "reconstruction [1,2,5,7]");
  expect_printed(out.loss.item<double>(), 0.709230521, "loss");
  out.loss.backward();
  expect_printed(golden::gradient_norm(model.parameters()), 5.563192324, "gradient norm");
}

TEST(SineModel, VitPretrainingHasTheOfficialNumbers) {
  const SimMim model(sine_config("vit"), {.dtype = at::kDouble});
  EXPECT_EQ(count_elements(model.parameters()), 59652);
  fill_with_sines(model.parameters());
  const SimMim::Output out = model.forward(sine_images(), sine_mask(), {});
  const Tensor features = model.encoder().forward(sine_images(), expand_mask(sine_mask(), 4).to(at::kBool), {});
  expect_printed(features.sum().item<double>(), 38.662490990, "encoder sum");
  expect_printed(golden::values(features).back(), -1.081352182, "encoder last");
  expect_printed(out.loss.item<double>(), 0.656085617, "loss");
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
    expect_printed(swin_logits[1][i].item<double>(), of_swin[i], "Swin logits");
    expect_printed(vit_logits[1][i].item<double>(), of_vit[i], "ViT logits");
  }
}

}  // namespace
}  // namespace simmim
