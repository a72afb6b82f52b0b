// Thirty steps of the official training loop, step by step, by the program's own model, groups, optimizer and schedule.
#include <map>
#include <set>

#include "model/classifier.h"
#include "model/simmim.h"
#include "parity/parity.h"
#include "train/stages.h"
#include "train/tensors.h"

namespace simmim {
namespace {

constexpr int64_t kSteps = 30, kImages = 8;

struct Training {
  std::shared_ptr<void> model;
  NamedTensors parameters;
  std::vector<ParameterGroup> groups;
  std::function<Tensor(int64_t step)> loss;
};

template <class Load>
Tensor stacked(const Load& load) {
  std::vector<Tensor> all;
  for (int64_t i = 0; i < kImages; ++i) all.push_back(load(i));
  return at::cat(all);
}

Training make_training(const std::string& curve, const GoldenFiles& golden, const std::string& name,
                       at::ScalarType dtype, const Json& hyper) {
  const bool finetune = curve == "finetune";
  const TensorFile file = golden.weights(name + (finetune ? "_finetune_init.pth" : "_pretrain.pth"));
  const Json config = golden_config(file);
  const double decay = hyper.at("weight_decay");
  const Tensor pixels = stacked([&](int64_t i) {
    return golden.image(finetune ? fmt::format("finetune8/train/class{}/p{}.png", i / 4, i)
                                 : fmt::format("pretrain8/images/p{}.png", i),
                        dtype);
  });
  if (finetune) {
    const auto model = std::make_shared<Classifier>(config, 2, ModelContext{.dtype = dtype});
    load_weights(model->parameters(), file, {}, {});
    const Tensor labels = at::arange(kImages, at::kLong).div(4, "floor");
    return {model, model->parameters(), parameter_groups(*model, decay, hyper.at("layer_decay")), [=](int64_t step) {
              return cross_entropy(model->logits(pixels, {.training = true, .step = step}), labels, 0);
            }};
  }
  const auto model = std::make_shared<SimMim>(config, ModelContext{.dtype = dtype});
  load_weights(model->parameters(), file, {}, {});
  const Tensor mask =
      curve == "pretrain"
          ? at::ones({kImages, model->mask_grid().h, model->mask_grid().w}, at::kByte)
          : stacked([&](int64_t i) { return golden.mask(fmt::format("pretrain8/masks/{}_p{}.png", name, i)); });
  return {model, model->parameters(), parameter_groups(*model, decay, 1),
          [=](int64_t step) { return model->forward(pixels, mask, {.training = true, .step = step}).loss; }};
}

// The configuration's way to the rates: base rates for 512 images, a batch of 8, one step an epoch.
Schedule schedule_of(const Json& hyper) {
  TrainOptions options;
  options.base_lr = hyper.at("lr").at("yaml_base_lr").get<double>();
  options.warmup_lr = hyper.at("lr").at("yaml_warmup_lr");
  options.min_lr = hyper.at("lr").at("yaml_min_lr");
  options.batch_size = kImages;
  options.warmup_epochs = 5;
  return make_schedule(options, 1, kSteps);
}

// Rates of the top group, and of every layer where they differ.
Comparison compare_rates(const Schedule& schedule, const std::vector<ParameterGroup>& groups, const Json& official,
                         const std::string& at) {
  Comparison rates{"learning rates"};
  std::set<double> scales;  // ascending: the order of the layer ids
  for (const ParameterGroup& group : groups) scales.insert(group.lr_scale);
  for (int64_t step = 0; step < kSteps; ++step) {
    const auto index = static_cast<size_t>(step);
    const std::string here = fmt::format("{} step {}", at, step);
    rates.relative(schedule.rate(step), official.at("lr")[index], 1e-12, here);
    if (!official.contains("lr_per_layer_id")) continue;
    const Json& layers = official["lr_per_layer_id"];
    if (layers.size() != scales.size()) rates.missing(at + " layers");
    size_t layer = 0;
    for (const double scale : scales)
      if (const auto of_layer = layers.find(std::to_string(layer++)); of_layer != layers.end())
        rates.relative(schedule.rate(step, scale), (*of_layer)[index], 1e-12, here);
  }
  return rates;
}

// Which parameters decay, and how the rate of each is scaled.
Comparison compare_groups(const std::vector<ParameterGroup>& groups, const Json& official, const std::string& at) {
  Comparison comparison{"parameter groups"};
  std::map<std::string, const ParameterGroup*> ours;
  for (const ParameterGroup& group : groups)
    for (const auto& [name, parameter] : group.parameters) ours[name] = &group;
  comparison.relative(static_cast<double>(groups.size()), static_cast<double>(official.size()), 1e-12, at + " groups");
  for (const Json& group : official)
    for (const std::string name : group.at("params")) {
      const auto found = ours.find(name);
      if (found == ours.end()) {
        comparison.missing(at + " " + name);
        continue;
      }
      const Json& scale = group.at("lr_scale");
      comparison.relative(found->second->weight_decay, group.at("weight_decay"), 1e-12, at + " " + name);
      comparison.relative(found->second->lr_scale, scale.is_number() ? scale.get<double>() : 1, 1e-12, at + " " + name);
      ours.erase(found);
    }
  for (const auto& [name, group] : ours) comparison.missing(at + " " + name);
  return comparison;
}

Comparison compare_norms(const NamedTensors& parameters, const Json& official, bool exact, const std::string& at) {
  Comparison comparison{"final parameter norms"};
  for (const auto& [name, parameter] : parameters) {
    const std::string here = at + " " + name;
    if (!official.contains(name)) {
      comparison.missing(here);
      continue;
    }
    const double norm = official[name][0], norm_f32 = official[name][1];
    // Where the official runs in double and float differ, rounding noise drives the parameter (the golden README.md).
    if (!exact && std::abs(norm - norm_f32) > 1e-4 * std::max(norm, 1e-12)) continue;
    comparison.relative(at::linalg_vector_norm(parameter.detach().to(at::kDouble)).item<double>(), norm,
                        exact ? 1e-9 : 3e-4, here);
  }
  return comparison;
}

}  // namespace

std::vector<Comparison> compare_curve(const std::string& curve, const GoldenFiles& golden, const std::string& name,
                                      at::ScalarType dtype) {
  const Json& official = golden.expected().at("curves").at(curve).at(name);
  const Json& hyper = official.at("hyper_parameters");
  const std::string at = name + " " + curve, stage = curve == "finetune" ? "fine-tuning" : "pre-training";
  const bool exact = dtype == at::kDouble, finetune = curve == "finetune";
  const Training training = make_training(curve, golden, name, dtype, hyper);
  const Schedule schedule = schedule_of(hyper);
  AdamW optimizer(training.groups,
                  {.betas = hyper.at("betas"), .eps = hyper.at("eps"), .clip_norm = hyper.at("clip_grad_norm")});
  Comparison losses{stage + " curve: loss"}, norms{stage + " curve: gradient norm"};
  for (int64_t step = 0; step < kSteps; ++step) {
    optimizer.zero_grad();
    const Tensor loss = training.loss(step);
    loss.backward();
    const Tensor norm = optimizer.step(schedule, step, loss);
    // In float, pre-training drifts apart after a few steps: the gradient of an absolute value is a sign.
    const double loss_f32 = finetune   ? 1e-5
                            : step < 3 ? 1e-6
                                       : 1e-4,
                 norm_f32 = finetune   ? 1e-5
                            : step < 3 ? 3e-5
                                       : 1e-2;
    const auto index = static_cast<size_t>(step);
    const std::string here = fmt::format("{} step {}", at, step);
    losses.relative(loss.item<double>(), official.at("loss").at("f64")[index], exact ? 1e-9 : loss_f32, here);
    norms.relative(norm.item<double>(), official.at("grad_norm").at("f64")[index], exact ? 1e-9 : norm_f32, here);
  }
  std::vector<Comparison> all = {
      losses, norms,
      compare_norms(training.parameters, golden.json("final_param_l2.json").at(curve + "." + name), exact, at)};
  if (exact) {  // numbers of the configuration, which have no other precision
    all.push_back(compare_rates(schedule, training.groups, official, at));
    if (official.contains("param_groups")) all.push_back(compare_groups(training.groups, official["param_groups"], at));
  }
  return all;
}

}  // namespace simmim
