#include "layers/cosine_block.h"

#include <cmath>

#include "layers/attention.h"
#include "layers/drop_path.h"
#include "layers/rows.h"

namespace simmim {
namespace {

// x (B,L,D), branch (B,L,D) -> x + factors * branch
Tensor residual(const Tensor& x, const Tensor& branch, const Tensor& factors) {
  return x + (factors.defined() ? branch * factors.view({-1, 1, 1}) : branch);
}

}  // namespace

CosineBlock::CosineBlock(const Scope& scope, const BlockOptions& o, int64_t window, int64_t pretrained,
                         const Tensor& index)
    : options_(o),
      norm1_(scope / "norm1", o.dim, o.eps, 0),
      logit_scale_((scope / "attn").make("logit_scale", {o.heads, 1, 1}, constant(std::log(10.)))),
      q_bias_((scope / "attn").make("q_bias", {o.dim}, constant(0))),
      v_bias_((scope / "attn").make("v_bias", {o.dim}, constant(0))),
      bias_(scope / "attn", window, pretrained, o.heads, o.linear, index),
      qkv_(scope / "attn" / "qkv", o.dim, 3 * o.dim, o.linear, Linear::Bias::none),
      proj_(scope / "attn" / "proj", o.dim, o.dim, o.linear),
      norm2_(scope / "norm2", o.dim, o.eps, 0),
      fc1_(scope / "mlp" / "fc1", o.dim, hidden_width(o), o.linear),
      fc2_(scope / "mlp" / "fc2", hidden_width(o), o.dim, o.linear) {}

Tensor CosineBlock::forward(const Tensor& x, const Windows& windows, int64_t index, const StepContext& step) const {
  const int64_t B = x.size(0), L = x.size(1), D = x.size(2), N = windows.side * windows.side;
  const auto factors = [&](int64_t branch) {
    return drop_path(options_.drop_path, B, 2 * index + branch, step, x.options());
  };
  const Tensor rows = reorder(x, windows.order, windows.inverse).view({B * L / N, N, D});
  const Tensor qkv = at::linear(rows, qkv_.weight, at::cat({q_bias_, at::zeros_like(q_bias_), v_bias_}));
  const Tensor attended = proj_(cosine_attention(qkv, logit_scale_, bias_(), windows.mask)).view({B, L, D});
  const Tensor mixed = residual(x, norm1_(reorder(attended, windows.inverse, windows.order)), factors(0));
  const Tensor y = residual(mixed, norm2_(fc2_(at::gelu(fc1_(mixed)))), factors(1));
  if (step.after_block) (*step.after_block)(y);
  return y;
}

double CosineBlock::kept_bytes(int64_t L, int64_t N, const ModelContext& on) const {
  const double stream = on.dtype == at::kDouble ? 8 : 4, operand = on.autocast ? 2 : stream;
  const double D = static_cast<double>(options_.dim), F = static_cast<double>(hidden_width(options_)),
               H = static_cast<double>(options_.heads);
  // Of a token: the input, the sum after attention, what goes into both norms; its row, q, k, v, the unit vectors of q
  // and k, what attention gives, the MLP's middle before and after GELU; the probabilities.
  const double token =
      4 * D * stream + (7 * D + 2 * F) * operand + H * static_cast<double>(N) * (stream + (on.autocast ? operand : 0));
  return static_cast<double>(L) * token;
}

NamedTensors CosineBlock::buffers() const {
  return {{"relative_coords_table", bias_.coordinates}, {"relative_position_index", bias_.index}};
}

}  // namespace simmim
