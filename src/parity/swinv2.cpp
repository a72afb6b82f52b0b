// Swin V2 beside timm's, at weights and images that both make by one formula (scripts/golden/encoders.py).
#include <cmath>

#include "encoders/encoders.h"
#include "model/classifier.h"
#include "parity/parity.h"

namespace simmim {
namespace {

Tensor scatter(at::IntArrayRef shape) {
  Tensor out = at::empty(shape, at::kDouble);
  const int64_t count = out.numel();
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

// A small one as it was trained, or at a larger size than its biases were trained for.
Json config_of(bool larger) {
  const int64_t side = larger ? 96 : 64;
  Json encoder = {
      {"name", "swinv2"},        {"patch", 4}, {"dim", 16}, {"depths", {2, 2, 2, 2}}, {"heads", {1, 2, 4, 8}},
      {"window", larger ? 6 : 4}};
  if (larger) encoder["pretrained_window"] = {4, 4, 4, 2};
  return {{"data", {{"image_size", side}}}, {"encoder", resolve_encoder(encoder, side)}};
}

}  // namespace

std::vector<Comparison> compare_swinv2(const GoldenFiles& golden, const std::string&, at::ScalarType dtype) {
  const Json expected = golden.json("swinv2.json");
  const bool exact = dtype == at::kDouble;
  Comparison count{"classifier's parameters"}, features{"encoder output"}, logits{"fine-tuning logits"}, losses{"loss"},
      gradients{"gradient norm"};
  for (const std::string at : {"plain", "larger"}) {
    const Json& wanted = expected.at(at);
    const Json config = config_of(at == "larger");
    const Classifier model(config, 10, {.dtype = dtype});
    fill(model.parameters());
    count.relative(static_cast<double>(count_elements(model.parameters())), wanted.at("parameters"), 1e-12, at);

    const int64_t side = config["data"]["image_size"];
    const Tensor images = scatter({2, 3, side, side}).to(dtype);
    const Tensor output = model.encoder().forward(images, {}, {});
    Json tensor = wanted.at("features");
    tensor["shape"] = output.sizes().slice(1).vec();
    tensor["mean"] = tensor.at("sum").get<double>() / static_cast<double>(output.numel());
    compare_tensor(features, output, tensor, at);

    const Tensor got = model.logits(images, {.training = true});
    compare_logits(logits, got, wanted.at("logits"), at);
    Tensor labels = at::full({2}, 3, at::kLong);
    labels[1].fill_(7);
    const Tensor loss = cross_entropy(got, labels, 0);
    losses.relative(loss.item<double>(), wanted.at("loss"), exact ? 1e-9 : 1e-5, at);
    loss.backward();
    for (const auto& [name, parameter] : model.parameters())
      gradients.relative(gradient_norm({{name, parameter}}), wanted.at("gradients").at(name), exact ? 1e-9 : 1e-3,
                         at + " " + name);
  }
  return {count, features, logits, losses, gradients};
}

}  // namespace simmim
