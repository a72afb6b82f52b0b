#include "config/weights_fit.h"

#include "core/error.h"
#include "model/classifier.h"
#include "model/simmim.h"
#include "weights/adapt.h"

namespace simmim {
namespace {

const ModelContext kMeta{.device = at::kMeta};

std::vector<Wanted> shapes_of(const NamedTensors& parameters) {
  std::vector<Wanted> shapes;
  for (const auto& [name, parameter] : parameters) shapes.push_back({name, parameter.sizes().vec()});
  return shapes;
}

std::vector<Wanted> wanted_by(const Json& config, int64_t classes) {
  if (config.at("stage") != "pretrain") return shapes_of(Classifier(config, classes, kMeta).parameters());
  const SimMim model(config, kMeta);
  std::vector<Wanted> wanted = shapes_of(model.parameters());
  if (config.at("target").value("centers", "") == "checkpoint")
    for (Wanted& constant : shapes_of(model.target().constants())) wanted.push_back(std::move(constant));
  return wanted;
}

}  // namespace

NamedViews planned_weights(const Json& pretrain_config) {
  NamedViews views;
  for (Wanted& shape : wanted_by(pretrain_config, 0))
    views.emplace_back(std::move(shape.name), TensorView{.shape = std::move(shape.shape), .bytes = {}});
  return views;
}

void check_weights_fit(const Json& config, int64_t classes, const NamedViews& given, const std::string& where,
                       bool asked) {
  const bool pretrains = config.at("stage") == "pretrain";
  try {
    require_complete(adapt(given, wanted_by(config, classes)), where,
                     pretrains ? kFreshInPretraining : kFreshInClassifier,
                     pretrains ? kUnusedByPretraining : kUnusedByClassifier);
  } catch (const Error& error) {
    if (!asked || error.code() != Code::data) throw;
    fail(Code::usage, "{}", error.what());
  }
}

}  // namespace simmim
