#include "train/tensors.h"

#include "core/error.h"
#include "weights/adapt.h"

namespace simmim {
namespace {

at::ScalarType scalar_type(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return at::kFloat;
    case DType::f64:
      return at::kDouble;
    case DType::f16:
      return at::kHalf;
    case DType::bf16:
      return at::kBFloat16;
    case DType::i64:
      return at::kLong;
    case DType::i32:
      return at::kInt;
    case DType::i16:
      return at::kShort;
    case DType::i8:
      return at::kChar;
    case DType::u8:
      return at::kByte;
    case DType::boolean:
      return at::kBool;
  }
  SIMMIM_CHECK(false, "unknown number type");
}

DType dtype_of(at::ScalarType type) {
  for (const DType dtype : {DType::f32, DType::f64, DType::f16, DType::bf16, DType::i64, DType::i32, DType::i16,
                            DType::i8, DType::u8, DType::boolean})
    if (scalar_type(dtype) == type) return dtype;
  SIMMIM_CHECK(false, "a tensor of a type that checkpoints do not hold");
}

// A tensor that borrows the view's bytes.
Tensor borrow(const TensorView& view) {
  return at::from_blob(const_cast<char*>(view.bytes.data()), view.shape, at::TensorOptions(scalar_type(view.dtype)));
}

}  // namespace

NamedTensors joined(NamedTensors tensors, const NamedTensors& more) {
  tensors.insert(tensors.end(), more.begin(), more.end());
  return tensors;
}

NamedViews views_of(const NamedTensors& tensors, std::vector<Tensor>& keep) {
  NamedViews views;
  for (const auto& [name, tensor] : tensors) {
    const Tensor& host = keep.emplace_back(tensor.detach().to(at::kCPU).contiguous());
    views.emplace_back(name, TensorView{dtype_of(host.scalar_type()),
                                        host.sizes().vec(),
                                        {static_cast<const char*>(host.const_data_ptr()), host.nbytes()}});
  }
  return views;
}

Tensor to_tensor(const TensorView& view) { return borrow(view).clone(); }

void copy_into(const NamedTensors& tensors, const TensorFile& file) {
  const at::NoGradGuard no_grad;
  for (const auto& [name, tensor] : tensors) {
    const TensorView* view = file.find(name);
    if (view == nullptr || view->shape != tensor.sizes().vec())
      fail(Code::data,
           "{}: {} of shape {} is not in this checkpoint; it belongs to another run or version, start afresh with "
           "--fresh",
           file.path().string(), name, shape_text(tensor.sizes().vec()));
    tensor.detach().copy_(borrow(*view));
  }
}

const std::vector<std::string> kFreshInClassifier = {"head.", "fc_norm."};
const std::vector<std::string> kUnusedByClassifier = {"decoder.",           "mask_token",    "norm.",
                                                      "encoder.mask_token", "encoder.norm.", "target."};

std::vector<std::string> load_weights(const NamedTensors& parameters, const TensorFile& file,
                                      const std::vector<std::string>& fresh, const std::vector<std::string>& unused) {
  const at::NoGradGuard no_grad;
  std::vector<Wanted> wanted;
  for (const auto& [name, parameter] : parameters) wanted.push_back({name, parameter.sizes().vec()});
  const Adapted adapted = adapt(file.tensors(), wanted);
  require_complete(adapted, file.path().string(), fresh, unused);
  size_t next = 0;  // adapted.tensors keeps the wanted order
  for (const auto& [name, parameter] : parameters)
    if (next < adapted.tensors.size() && adapted.tensors[next].first == name)
      parameter.detach().copy_(borrow(adapted.tensors[next++].second));
  std::vector<std::string> notes = adapted.notes;
  if (!adapted.resized.empty())
    notes.push_back(fmt::format("{}: {} position tables resized", file.path().string(), adapted.resized.size()));
  return notes;
}

}  // namespace simmim
