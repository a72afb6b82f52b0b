// The CUDA twins of kernels/cpu.h, without LibTorch.
#pragma once
#include "kernels/cpu.h"

namespace simmim::cuda {

template <class E>
const kernels::Operations<float, E>* operations();  // float and bf16

void* stream();  // cudaStream_t: LibTorch's current one of this thread

}  // namespace simmim::cuda
