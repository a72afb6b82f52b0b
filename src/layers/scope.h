// Where parameters come from. A Scope is a name prefix plus what every parameter of a model shares: seed, number type,
// device. Layers are plain structs that ask it for their tensors, under the names of the official checkpoints, so a
// model's parameters are one flat, ordered list and no torch::nn module is needed.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "layers/torch.h"

namespace simmim {

// What a model is built for. Parameters are `dtype` (f32, or f64 for parity checks); with `autocast` the matrix
// products of encoder and head run in bfloat16 on f32 weights while training, never in evaluation. With `checkpointing`
// a head's blocks keep their inputs alone (layers/checkpoint.h); an encoder's do by its own option, which the model
// hands on. at::kMeta gives shapes and counts without memory.
struct ModelContext {
  uint64_t seed = 0;
  at::ScalarType dtype = at::kFloat;
  at::Device device = at::kCPU;
  bool autocast = false;
  bool checkpointing = false;
};

using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

// How a parameter starts.
struct Init {
  enum class Kind { constant, truncated_normal, uniform } kind = Kind::constant;
  double size = 0;   // the constant, the standard deviation, or the bound of U(-size, size)
  double bound = 0;  // truncated_normal: draws beyond +-bound are redrawn
  double scale = 1;  // factor on every value
};
inline Init constant(double value) { return {Init::Kind::constant, value}; }
inline Init truncated_normal(double std, double bound) { return {Init::Kind::truncated_normal, std, bound}; }
inline Init uniform(double bound) { return {Init::Kind::uniform, bound}; }
inline Init scaled(Init init, double factor) { return {init.kind, init.size, init.bound, init.scale * factor}; }

class Scope {
 public:
  // Parameters made through this scope and its children are appended to `store`, which must outlive them.
  Scope(NamedTensors& store, const ModelContext& context) : store_(&store), context_(context) {}

  // The child "prefix.name".
  Scope operator/(const std::string& name) const;
  Scope operator/(int64_t index) const { return *this / std::to_string(index); }

  // A new leaf tensor that requires a gradient. Its values depend on (seed, full name, shape) alone: equal seeds give
  // equal weights wherever names and shapes agree, on every device and thread count.
  Tensor make(const std::string& name, at::IntArrayRef shape, const Init& init) const;

  const ModelContext& context() const { return context_; }
  at::TensorOptions options() const { return at::TensorOptions().dtype(context_.dtype).device(context_.device); }

 private:
  NamedTensors* store_;
  ModelContext context_;
  std::string prefix_;
};

// The values of Scope::make before they become a tensor of the model: f64 arithmetic, rounded once.
void fill_initial(Tensor& out, const Init& init, uint64_t seed, const std::string& name);

int64_t count_elements(const NamedTensors& tensors);

}  // namespace simmim
