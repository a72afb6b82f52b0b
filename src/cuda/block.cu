#include "cuda/attention.cuh"
#include "cuda/block.h"
#include "cuda/rows.cuh"

namespace simmim::cuda {

template <class E>
const kernels::Operations<float, E>* operations() {
  static constexpr kernels::Operations<float, E> functions = {
      .at_once = true,
      .row_block = kRowBlock,
      .groups = attention_groups,
      .takes = [](int64_t N, int64_t D, int64_t H,
                  int64_t hidden) { return D % H == 0 && hidden % 4 == 0 && attention_takes<E>(N, D / H); },
      .norm_forward = norm_forward<E>,
      .norm_backward = norm_backward<E>,
      .residual_forward = residual_forward<E>,
      .residual_backward = residual_backward<E>,
      .gelu_forward = gelu_forward<E>,
      .gelu_backward = gelu_backward<E>,
      .attention_forward = attention_forward<E>,
      .attention_backward = attention_backward<E>,
  };
  return &functions;
}

template const kernels::Operations<float, float>* operations();
template const kernels::Operations<float, bf16>* operations();

}  // namespace simmim::cuda
