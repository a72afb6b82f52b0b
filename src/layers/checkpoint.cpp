#include "layers/checkpoint.h"

#include <torch/csrc/autograd/autograd.h>

#include <algorithm>

#include "layers/autocast.h"

namespace simmim {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct Recipe : torch::CustomClassHolder {
  Recipe(const NetworkPart& p, const Tensor& input)
      : part(p), device(input.device().type()), autocast(at::autocast::is_autocast_enabled(device)) {}
  NetworkPart part;
  at::DeviceType device;
  bool autocast;
};

struct Checkpoint : torch::autograd::Function<Checkpoint> {
  static Tensor forward(AutogradContext* context, at::TensorList inputs, const NetworkPart& part) {
    context->save_for_backward(inputs.vec());
    context->saved_data["recipe"] = c10::IValue::make_capsule(c10::make_intrusive<Recipe>(part, inputs[0]));
    return part(inputs.vec());
  }

  // The part once more on leaves in the place of its inputs; parameters get their gradients in the inner pass.
  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto capsule = context->saved_data["recipe"].toCapsule();
    const auto& recipe = static_cast<const Recipe&>(*capsule);
    variable_list leaves;
    for (const Tensor& input : context->get_saved_variables())
      leaves.push_back(input.detach().requires_grad_(input.requires_grad()));
    Tensor output;
    {
      const at::AutoGradMode with_gradients(true);
      const Autocast autocast(recipe.device, recipe.autocast);
      output = recipe.part(leaves);
    }
    torch::autograd::backward({output}, {grads[0]});
    variable_list out;
    for (const Tensor& leaf : leaves) out.push_back(leaf.grad());
    out.emplace_back();  // of `part`
    return out;
  }
};

}  // namespace

Tensor checkpoint(const NetworkPart& part, const std::vector<Tensor>& inputs) {
  return at::GradMode::is_enabled() ? Checkpoint::apply(at::TensorList(inputs), part) : part(inputs);
}

double most_kept(const std::vector<KeptBytes>& blocks, bool checkpointing) {
  double before = 0, most = 0;
  for (const KeptBytes& block : blocks) {
    most = std::max(most, before + block.all);
    before += checkpointing ? block.input : block.all;
  }
  return most;
}

}  // namespace simmim
