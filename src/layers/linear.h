// The two layers everything is made of.
#pragma once
#include "layers/scope.h"

namespace simmim {

struct Linear {
  Tensor weight;  // (out,in)
  Tensor bias;    // (out), or undefined

  enum class Bias { none, zeros };
  Linear(const Scope& scope, int64_t in, int64_t out, const Init& init, Bias with_bias = Bias::zeros)
      : weight(scope.make("weight", {out, in}, init)),
        bias(with_bias == Bias::none ? Tensor() : scope.make("bias", {out}, constant(0))) {}

  // (...,in) -> (...,out)
  Tensor operator()(const Tensor& x) const { return at::linear(x, weight, bias); }
};

struct LayerNorm {
  Tensor weight, bias;  // (D)
  double eps;           // 1e-5 in Swin, 1e-6 in ViT

  // start: of the weights.
  LayerNorm(const Scope& scope, int64_t dim, double epsilon, double start = 1)
      : weight(scope.make("weight", {dim}, constant(start))),
        bias(scope.make("bias", {dim}, constant(0))),
        eps(epsilon) {}

  Tensor operator()(const Tensor& x) const { return at::layer_norm(x, {x.size(-1)}, weight, bias, eps); }
};

}  // namespace simmim
