#include "layers/rows.h"

namespace simmim {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct Reorder : torch::autograd::Function<Reorder> {
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& order, const Tensor& inverse) {
    context->save_for_backward({inverse});
    return x.index_select(1, order);
  }
  static variable_list backward(AutogradContext* context, variable_list grads) {
    return {grads[0].index_select(1, context->get_saved_variables()[0]), Tensor(), Tensor()};
  }
};

struct TakeRows : torch::autograd::Function<TakeRows> {
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& index) {
    context->save_for_backward({index});
    context->saved_data["rows"] = x.size(0);
    return x.index_select(0, index);
  }
  static variable_list backward(AutogradContext* context, variable_list grads) {
    const int64_t rows = context->saved_data["rows"].toInt();
    Tensor grad = at::zeros({rows, grads[0].size(1)}, grads[0].options());
    return {grad.index_copy_(0, context->get_saved_variables()[0], grads[0]), Tensor()};
  }
};

}  // namespace

Tensor reorder(const Tensor& x, const Tensor& order, const Tensor& inverse) {
  return Reorder::apply(x, order, inverse);
}
Tensor take_rows(const Tensor& x, const Tensor& index) { return TakeRows::apply(x, index); }

Tensor take_repeated_rows(const Tensor& table, const Tensor& index) {
  if (table.is_cuda()) return table.index(c10::List<std::optional<Tensor>>({index}));
  return table.index_select(0, index);
}

}  // namespace simmim
