// A pre-trained model of 64 px as a classifier of 96 px: relative position tables interpolated, then logits.
#include <cmath>

#include "model/classifier.h"
#include "parity/parity.h"
#include "train/tensors.h"
#include "weights/remap.h"

namespace simmim {
namespace {

// Tables that the official code interpolated and stored in f32.
void compare_table(Comparison& comparison, const std::vector<double>& got, const TensorView& official,
                   const std::string& at) {
  const std::vector<double> wanted = to_doubles(official);
  double squares = 0;
  for (const double value : wanted) squares += value * value;
  if (squares == 0) return;  // where the official code cannot resize, its golden table is zero
  if (got.size() != wanted.size()) comparison.missing(at);
  for (size_t i = 0; i < wanted.size() && i < got.size(); ++i)
    comparison.absolute(got[i], wanted[i], 1e-6, std::sqrt(squares / static_cast<double>(wanted.size())), at);
}

// Bare tables of the published sizes.
void compare_bare_tables(Comparison& comparison, const GoldenFiles& golden) {
  const Json& bare = golden.expected().at("remap").at("bare_tables");
  const TensorFile file = golden.weights(bare.at("file"));
  for (const std::string size : bare.at("cases")) {
    const TensorView *from = file.find(size + ".src"), *to = file.find(size + ".dst");
    compare_table(
        comparison,
        resize_table(to_doubles(*from), from->shape[1], table_layout(from->shape[0]), table_layout(to->shape[0])), *to,
        size);
  }
}

}  // namespace

std::vector<Comparison> compare_resized(const GoldenFiles& golden, const std::string& name, at::ScalarType dtype) {
  const Json& wanted = golden.expected().at("remap").at(name);
  const TensorFile pretrained = golden.weights(wanted.at("from")), official = golden.weights(wanted.at("tables"));
  Json config = golden_config(pretrained);
  config["data"]["image_size"] = wanted.at("img");
  if (wanted.contains("window")) config["encoder"]["window"] = wanted["window"];
  const Classifier model(config, 2, {.dtype = dtype});
  load_weights(model.parameters(), pretrained, kFreshInClassifier, kUnusedByClassifier);

  Comparison tables{"resized position tables"}, logits{"logits at another size"};
  if (name == "swin") compare_bare_tables(tables, golden);
  const at::NoGradGuard no_grad;
  for (const auto& [parameter_name, parameter] : model.parameters()) {
    const TensorView* view = official.find(parameter_name);
    if (view == nullptr) continue;
    if (parameter_name.ends_with("table"))
      compare_table(tables, values_of(parameter), *view, name + " " + parameter_name);
    parameter.detach().copy_(to_tensor(*view));  // the head, and for the logits the tables as they were stored
  }
  const Json& truth = wanted.contains("logits") ? wanted["logits"] : wanted.at("logits_with_last_stage_tables_zero");
  compare_logits(logits, model.logits(golden.image(golden.expected().at("remap").at("image"), dtype), {}),
                 truth.at("f64"), name);
  return {tables, logits};
}

}  // namespace simmim
