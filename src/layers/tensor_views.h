// LibTorch's tensors and the torch-free views of checkpoint files, both ways.
#pragma once
#include <vector>

#include "layers/scope.h"
#include "weights/tensor_file.h"

namespace simmim {

// Views of the tensors' bytes; `keep` takes the contiguous CPU copies that the views point into.
NamedViews views_of(const NamedTensors& tensors, std::vector<Tensor>& keep);

// A CPU tensor on a view's own bytes, which must outlive it and are only read; and a copy of them.
Tensor borrow_tensor(const TensorView& view);
Tensor to_tensor(const TensorView& view);

}  // namespace simmim
