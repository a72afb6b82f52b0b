// One pass of a model with the official weights, images and masks.
#include <cmath>

#include "model/classifier.h"
#include "model/simmim.h"
#include "parity/parity.h"
#include "train/tensors.h"

namespace simmim {

void compare_tensor(Comparison& comparison, const Tensor& tensor, const Json& wanted, const std::string& at) {
  const bool exact = tensor.scalar_type() == at::kDouble;
  if (tensor.sizes().slice(1).vec() != wanted.at("shape").get<std::vector<int64_t>>()) {
    comparison.missing(at + " shape");
    return;
  }
  const std::vector<double> values = values_of(tensor);
  const double l2 = wanted.at("l2"), size = l2 / std::sqrt(static_cast<double>(values.size()));
  const auto close = [&](double got, double value, double f32, const char* what) {
    if (exact)
      comparison.relative(got, value, 1e-9, at + " " + what);
    else
      comparison.absolute(got, value, f32, size, at + " " + what);
  };
  for (size_t i = 0; i < 4; ++i) {
    close(values[i], wanted.at("first4")[i], 1e-5, "first values");
    close(values[values.size() - 4 + i], wanted.at("last4")[i], 1e-5, "last values");
  }
  const Tensor doubles = tensor.detach().to(at::kDouble);
  close(doubles.mean().item<double>(), wanted.at("mean"), 1e-6, "mean");
  comparison.relative(doubles.norm().item<double>(), l2, exact ? 1e-9 : 1e-6, at + " length");
}

std::vector<Comparison> compare_pretraining(const GoldenFiles& golden, const std::string& name, at::ScalarType dtype) {
  const Json& wanted = golden.expected().at("pretrain_forward").at(name);
  const TensorFile file = golden.weights(wanted.at("checkpoint"));
  const SimMim model(golden_config(file), {.dtype = dtype});
  load_weights(model.parameters(), file, {}, {});
  const bool exact = dtype == at::kDouble;
  Comparison count{"parameters"}, features{"encoder output"}, reconstruction{"reconstruction"}, losses{"loss"},
      gradients{"gradient norm"};
  count.relative(static_cast<double>(count_elements(model.parameters())), wanted.at("params"), 1e-12, name);
  for (const auto& [image_file, numbers] : wanted.at("images").items()) {
    const Json& truth = numbers.at("f64");
    const Tensor image = golden.image(image_file, dtype), mask = golden.mask(numbers.at("mask"));
    // The training path computes the masked cells alone.
    for (const bool training : {false, true}) {
      const std::string at = name + (training ? " training " : " ") + image_file;
      for (const auto& [parameter_name, parameter] : model.parameters()) parameter.mutable_grad().reset();
      const SimMim::Output out = model.forward(image, mask, {.training = training});
      out.loss.backward();
      losses.relative(out.loss.item<double>(), truth.at("loss"), exact ? 1e-9 : 1e-6, at);
      gradients.relative(gradient_norm(model.parameters()), truth.at("grad_norm"), exact ? 1e-9 : 1e-5, at);
      if (training) continue;
      losses.relative(out.image_loss.item<double>(), truth.at("loss"), exact ? 1e-9 : 1e-6, at + " of the image");
      compare_tensor(reconstruction, out.prediction, truth.at("reconstruction"), at);
    }
    const Tensor hidden = expand_mask(mask, image.size(2) / model.encoder().patch()).to(at::kBool);
    compare_tensor(features, model.encoder().forward(image, hidden, {}), truth.at("encoder"), name + " " + image_file);
  }
  return {count, features, reconstruction, losses, gradients};
}

std::vector<Comparison> compare_classifier(const GoldenFiles& golden, const std::string& name, at::ScalarType dtype) {
  const Json& wanted = golden.expected().at("finetune_logits").at(name);
  const TensorFile file = golden.weights(wanted.at("checkpoint"));
  const Classifier model(golden_config(file), 5, {.dtype = dtype});
  load_weights(model.parameters(), file, {}, {});
  Comparison count{"classifier's parameters"}, logits{"fine-tuning logits"};
  count.relative(static_cast<double>(count_elements(model.parameters())), wanted.at("params"), 1e-12, name);
  for (const auto& [image_file, numbers] : wanted.at("images").items())
    for (const bool training : {false, true})
      compare_logits(logits, model.logits(golden.image(image_file, dtype), {.training = training}), numbers.at("f64"),
                     name + " " + image_file);
  return {count, logits};
}

void compare_logits(Comparison& comparison, const Tensor& logits, const Json& wanted, const std::string& at) {
  const std::vector<double> got = values_of(logits), official = wanted.get<std::vector<double>>();
  if (got.size() != official.size()) {
    comparison.missing(at);
    return;
  }
  double squares = 0;
  for (const double value : official) squares += value * value;
  const double size = std::sqrt(squares / static_cast<double>(official.size()));
  for (size_t i = 0; i < got.size(); ++i)
    comparison.absolute(got[i], official[i], logits.scalar_type() == at::kDouble ? 1e-9 : 5e-6, size, at);
}

}  // namespace simmim
