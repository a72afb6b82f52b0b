#include "layers/scope.h"

#include "core/error.h"
#include "core/rng.h"

namespace simmim {
namespace {

constexpr int64_t kChunk = 1 << 16;  // elements of one random stream; chunks are drawn in parallel

template <class T>
void fill(Tensor& out, const Init& init, uint64_t seed, const std::string& name) {
  T* values = out.data_ptr<T>();
  const int64_t count = out.numel();
  at::parallel_for(0, (count + kChunk - 1) / kChunk, 1, [&](int64_t begin, int64_t end) {
    for (int64_t chunk = begin; chunk < end; ++chunk) {
      Rng rng(seed, "init/" + name, static_cast<uint64_t>(chunk));
      for (int64_t i = chunk * kChunk; i < std::min(count, (chunk + 1) * kChunk); ++i)
        values[i] = static_cast<T>(init.scale * (init.kind == Init::Kind::uniform
                                                     ? rng.uniform(-init.size, init.size)
                                                     : rng.truncated_normal(init.size, init.bound)));
    }
  });
}

}  // namespace

Scope Scope::operator/(const std::string& name) const {
  Scope child = *this;
  child.prefix_ += name + ".";
  return child;
}

Tensor Scope::make(const std::string& name, at::IntArrayRef shape, const Init& init) const {
  const std::string full = prefix_ + name;
  const bool meta = context_.device.is_meta();
  Tensor value = at::empty(shape, options().device(meta ? at::kMeta : at::kCPU));
  if (!meta) {
    fill_initial(value, init, context_.seed, full);
    value = value.to(context_.device);
  }
  value.set_requires_grad(true);
  store_->emplace_back(full, value);
  return value;
}

void fill_initial(Tensor& out, const Init& init, uint64_t seed, const std::string& name) {
  if (init.kind == Init::Kind::constant) {
    out.fill_(init.size * init.scale);
  } else if (out.scalar_type() == at::kDouble) {
    fill<double>(out, init, seed, name);
  } else {
    SIMMIM_CHECK(out.scalar_type() == at::kFloat, "{}: parameters are f32 or f64", name);
    fill<float>(out, init, seed, name);
  }
}

int64_t count_elements(const NamedTensors& tensors) {
  int64_t count = 0;
  for (const auto& [name, tensor] : tensors) count += tensor.numel();
  return count;
}

}  // namespace simmim
