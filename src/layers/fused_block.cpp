#include "layers/fused_block.h"

#include <c10/core/DeviceGuard.h>

#include <cstdlib>

#include "kernels/device.h"
#include "layers/fused_passes.h"

namespace simmim {
namespace {

using fused::Fused;
using fused::Saved;
using kernels::bf16;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// f(Fused<T, E>) for the types of this call.
template <class F>
auto dispatch(const Tensor& x, const Tensor& bias, const BlockWeights& weights, const BlockCall& call, const F& f) {
  const c10::DeviceGuard guard(x.device());
  const auto run = [&]<class T, class E>(T, E) {
    return f(Fused<T, E>{.ops = *operations_on<T, E>(x.device()),
                         .w = weights,
                         .call = call,
                         .B = x.size(0),
                         .L = x.size(1),
                         .D = x.size(2),
                         .H = bias.size(0),
                         .N = bias.size(1)});
  };
  if (x.scalar_type() == at::kDouble) return run(double{}, double{});
  return call.bf16 ? run(float{}, bf16{}) : run(float{}, float{});
}

// The members in the order of the node's inputs; without gammas they are left out, for an input must be defined.
std::vector<Tensor*> members(BlockWeights& w, bool gammas) {
  std::vector<Tensor*> out = {&w.norm1_weight, &w.norm1_bias, &w.qkv_weight, &w.qkv_bias, &w.proj_weight, &w.proj_bias,
                              &w.norm2_weight, &w.norm2_bias, &w.fc1_weight, &w.fc1_bias, &w.fc2_weight,  &w.fc2_bias};
  if (gammas) out.insert(out.end(), {&w.gamma_1, &w.gamma_2});
  return out;
}

struct FusedBlock : torch::autograd::Function<FusedBlock> {
  // `list`: x, bias and the members of BlockWeights, so that the gradients come back in the same order.
  static Tensor forward(AutogradContext* context, at::TensorList list, const BlockCall& call) {
    BlockWeights weights;
    const bool gammas = list.size() == 16;
    size_t next = 2;
    for (Tensor* member : members(weights, gammas)) *member = list[next++];
    Saved saved;
    const Tensor y = dispatch(list[0], list[1], weights, call,
                              [&](const auto& fused) { return fused.forward(list[0], list[1], saved); });
    variable_list kept(list.begin() + 1, list.end());
    for (const Tensor* member : Saved::members(saved)) kept.push_back(*member);
    kept.push_back(call.factors_1);
    kept.push_back(call.factors_2);
    context->save_for_backward(kept);
    context->saved_data["gammas"] = gammas;
    context->saved_data["eps"] = call.eps;
    context->saved_data["bf16"] = call.bf16;
    context->saved_data["windows"] =
        reinterpret_cast<int64_t>(call.windows);  // of the encoder, which outlives the step
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const variable_list kept = context->get_saved_variables();
    BlockWeights weights, d;
    Saved saved;
    BlockCall call{.eps = context->saved_data["eps"].toDouble(),
                   .windows = reinterpret_cast<const Windows*>(context->saved_data["windows"].toInt()),
                   .bf16 = context->saved_data["bf16"].toBool()};
    const bool gammas = context->saved_data["gammas"].toBool();
    size_t next = 0;
    const Tensor bias = kept[next++];
    for (Tensor* member : members(weights, gammas)) *member = kept[next++];
    for (Tensor* member : Saved::members(saved)) *member = kept[next++];
    call.factors_1 = kept[next++];
    call.factors_2 = kept[next++];
    const Tensor dy = grads[0].contiguous();
    Tensor d_bias;
    const Tensor dx =
        dispatch(dy, bias, weights, call, [&](const auto& fused) { return fused.backward(dy, saved, d, d_bias); });
    variable_list out = {dx, d_bias};
    for (const Tensor* member : members(d, gammas)) out.push_back(*member);
    out.push_back(Tensor());  // of `call`
    return out;
  }
};

}  // namespace

bool can_fuse(const BlockShape& shape, at::Device device, at::ScalarType dtype, bool autocast) {
  static const bool kPlain = std::getenv("SIMMIM_PLAIN") != nullptr;  // to measure what it gains
  if (kPlain) return false;
  const auto takes = [&](const auto* ops) { return ops && ops->takes(shape.N, shape.D, shape.H, shape.hidden); };
  if (dtype == at::kDouble) return takes(operations_on<double, double>(device));
  return autocast ? takes(operations_on<float, bf16>(device)) : takes(operations_on<float, float>(device));
}

Tensor fused_block(const Tensor& x, const Tensor& bias, const BlockWeights& weights, const BlockCall& call) {
  std::vector<Tensor> list = {x, bias};
  BlockWeights handles = weights;
  for (const Tensor* member : members(handles, weights.gamma_1.defined())) list.push_back(*member);
  return FusedBlock::apply(at::TensorList(list), call);
}

}  // namespace simmim
