#include "layers/tensor_views.h"

#include "core/error.h"

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

}  // namespace

Tensor borrow_tensor(const TensorView& view) {
  return at::from_blob(const_cast<char*>(view.bytes.data()), view.shape, at::TensorOptions(scalar_type(view.dtype)));
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

Tensor to_tensor(const TensorView& view) { return borrow_tensor(view).clone(); }

}  // namespace simmim
