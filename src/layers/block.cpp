#include "layers/block.h"

#include <cmath>

#include "layers/attention.h"
#include "layers/drop_path.h"
#include "layers/fused_block.h"
#include "layers/rows.h"

namespace simmim {
namespace {

Tensor optional_gamma(const Scope& scope, const std::string& name, const BlockOptions& o) {
  return o.layer_scale > 0 ? scope.make(name, {o.dim}, constant(o.layer_scale)) : Tensor();
}

Tensor optional_bias(const Scope& scope, const std::string& name, const BlockOptions& o) {
  return o.split_qkv_bias ? scope.make(name, {o.dim}, constant(0)) : Tensor();
}

}  // namespace

int64_t hidden_width(const BlockOptions& o) { return static_cast<int64_t>(static_cast<double>(o.dim) * o.mlp_ratio); }

double block_flops(const BlockOptions& o, int64_t L, int64_t N) {
  const double D = static_cast<double>(o.dim), products = 4 * D * D + 2 * D * static_cast<double>(hidden_width(o));
  return 2 * static_cast<double>(L) * (products + 2 * static_cast<double>(N) * D);
}

Block::Block(const Scope& scope, const BlockOptions& o)
    : options_(o),
      autocast_(scope.context().autocast),
      gamma_1_(optional_gamma(scope, "gamma_1", o)),
      gamma_2_(optional_gamma(scope, "gamma_2", o)),
      norm1_(scope / "norm1", o.dim, o.eps),
      q_bias_(optional_bias(scope / "attn", "q_bias", o)),
      v_bias_(optional_bias(scope / "attn", "v_bias", o)),
      qkv_(scope / "attn" / "qkv", o.dim, 3 * o.dim, o.linear,
           o.split_qkv_bias ? Linear::Bias::none : Linear::Bias::zeros),
      proj_(scope / "attn" / "proj", o.dim, o.dim, scaled(o.linear, o.residual_scale)),
      norm2_(scope / "norm2", o.dim, o.eps),
      fc1_(scope / "mlp" / "fc1", o.dim, hidden_width(o), o.linear),
      fc2_(scope / "mlp" / "fc2", hidden_width(o), o.dim, scaled(o.linear, o.residual_scale)) {}

BlockShape Block::shape(int64_t N) const { return {N, options_.dim, options_.heads, hidden_width(options_)}; }

Tensor Block::qkv_bias() const {
  return options_.split_qkv_bias ? at::cat({q_bias_, at::zeros_like(q_bias_), v_bias_}) : qkv_.bias;
}

Tensor Block::residual(const Tensor& x, const Tensor& branch, const Tensor& gamma, const Tensor& factors) const {
  Tensor scaled_branch = gamma.defined() ? branch * gamma : branch;
  if (factors.defined()) scaled_branch = scaled_branch * factors.view({-1, 1, 1});
  return x + scaled_branch;
}

Tensor Block::forward(const Tensor& x, const Tensor& bias, const Windows* windows, int64_t index,
                      const StepContext& step) const {
  const bool bf16 = autocast_ && step.training;
  const bool fuse = can_fuse(shape(bias.size(1)), x.device(), x.scalar_type(), bf16);
  const Tensor y = fuse ? fused(x, bias, windows, index, step) : plain(x, bias, windows, index, step);
  if (step.after_block) (*step.after_block)(y);
  return y;
}

Tensor Block::fused(const Tensor& x, const Tensor& bias, const Windows* windows, int64_t index,
                    const StepContext& step) const {
  const Tensor stream = x.to(norm1_.weight.scalar_type());
  const auto factors = [&](int64_t branch) {
    return drop_path(options_.drop_path, x.size(0), 2 * index + branch, step, stream.options());
  };
  return fused_block(stream, bias,
                     {norm1_.weight, norm1_.bias, qkv_.weight, qkv_bias(), proj_.weight, proj_.bias, gamma_1_,
                      norm2_.weight, norm2_.bias, fc1_.weight, fc1_.bias, fc2_.weight, fc2_.bias, gamma_2_},
                     {.eps = options_.eps,
                      .windows = windows,
                      .factors_1 = factors(0),
                      .factors_2 = factors(1),
                      .bf16 = autocast_ && step.training});
}

Tensor Block::plain(const Tensor& x, const Tensor& bias, const Windows* windows, int64_t index,
                    const StepContext& step) const {
  const int64_t B = x.size(0), L = x.size(1), D = x.size(2), N = bias.size(1);
  const auto factors = [&](int64_t branch) {
    return drop_path(options_.drop_path, B, 2 * index + branch, step, x.options());
  };
  Tensor rows = norm1_(x);
  if (windows) rows = reorder(rows, windows->order, windows->inverse);
  const Tensor qkv = at::linear(rows.view({B * L / N, N, D}), qkv_.weight, qkv_bias());
  Tensor attended = proj_(attention(qkv, bias, windows ? windows->mask : Tensor())).view({B, L, D});
  if (windows) attended = reorder(attended, windows->inverse, windows->order);
  const Tensor mixed = residual(x, attended, gamma_1_, factors(0));
  return residual(mixed, fc2_(at::gelu(fc1_(norm2_(mixed)))), gamma_2_, factors(1));
}

double Block::kept_bytes(int64_t L, int64_t N, const ModelContext& on) const {
  const double stream = on.dtype == at::kDouble ? 8 : 4, operand = on.autocast ? 2 : stream;
  const double D = static_cast<double>(options_.dim), F = static_cast<double>(hidden_width(options_)),
               H = static_cast<double>(options_.heads), branches = options_.layer_scale > 0 ? 2 * D : 0;
  // Of a token: the input and the sum after attention; both norms, q, k, v, what attention gives, the MLP's middle.
  double token = 2 * D * stream + (6 * D + F + branches) * operand;
  if (can_fuse(shape(N), on.device, on.dtype, on.autocast))
    token += (H + 4) * stream;  // each query's sum, both norms' statistics
  else
    token += F * operand + H * static_cast<double>(N) * (stream + (on.autocast ? operand : 0));  // GELU, probabilities
  return static_cast<double>(L) * token;
}

}  // namespace simmim
