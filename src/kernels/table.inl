// This instruction set's functions as a table. Included by cpu_*.cpp only.

template <class T, class E>
const Operations<T, E>* table() {
  static constexpr Operations<T, E> functions = {
      false,
      kRowBlock,
      attention_groups,
      [](int64_t, int64_t, int64_t, int64_t) { return true; },
      norm_forward<T, E>,
      norm_backward<T, E>,
      residual_forward<T, E>,
      residual_backward<T, E>,
      gelu_forward<T, E>,
      gelu_backward<T, E>,
      attention_forward<T, E>,
      attention_backward<T, E>,
      pack<T>,
      product<T>,
      weight_gradient<T>,
  };
  return &functions;
}

template const Operations<float, float>* table();
template const Operations<float, bf16>* table();
template const Operations<double, double>* table();
