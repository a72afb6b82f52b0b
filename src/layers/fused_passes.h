// The two passes of a transformer block over its rows, forward and backward, a few images at a time: what the node of
// fused_block.cpp does. Matrix products are LibTorch's, everything between them is kernels/cpu.h's.
#pragma once
#include <ATen/core/LegacyTypeDispatch.h>

#include "layers/fused_block.h"
#include "layers/fused_memory.h"

namespace simmim::fused {

using kernels::kRowBlock;

// On a GPU the images are not split up, and an operation is one launch for all of its items.
template <class T, class E>
struct Fused {
  const kernels::Operations<T, E>& ops;
  const BlockWeights& w;
  const BlockCall& call;
  int64_t B, L, D, H, N, hidden = w.fc1_weight.size(0);
  int64_t chunk = ops.at_once ? B : images_per_chunk(B, L, D, L* hidden* static_cast<int64_t>(sizeof(E)));
  int64_t chunks = (B + chunk - 1) / chunk,
          blocks = (chunk * L + ops.row_block - 1) / ops.row_block;  // of rows, a chunk

  // The rows of one chunk.
  struct Part {
    int64_t index, first, rows;  // first row
    Tensor of(const Tensor& tensor) const { return tensor.narrow(0, first, rows); }
    template <class Number>
    Number* of(const Tensor& tensor, int64_t width) const {
      return tensor.defined() ? data<Number>(tensor) + first * width : nullptr;
    }
  };

  // f(part, range) for all chunks. A thread takes a range of chunks, and within a chunk nothing is split any more; a
  // single chunk is split within. `range` is the index of the thread's first chunk.
  template <class F>
  void for_chunks(const F& f) const {
    at::parallel_for(0, chunks, 1, [&](int64_t begin, int64_t end) {
      const at::AutoDispatchBelowAutograd below;  // the guard of the calling thread does not reach the others
      for (int64_t c = begin; c < end; ++c) f(Part{c, c * chunk * L, std::min(chunk, B - c * chunk) * L}, begin);
    });
  }

  template <class Kernel, class Arguments>
  void parallel(const Kernel& kernel, const Arguments& arguments, int64_t count, int64_t grain) const {
    fused::parallel(kernel, arguments, count, ops.at_once ? count : grain);
  }

  const int64_t* order() const { return call.windows ? data<int64_t>(call.windows->order) : nullptr; }
  const int64_t* inverse() const { return call.windows ? data<int64_t>(call.windows->inverse) : nullptr; }
  T* factors(const Tensor& all, const Part& part) const {
    return all.defined() ? data<T>(all) + part.first / L : nullptr;
  }
  static Tensor make(const Tensor& like, at::IntArrayRef shape, at::ScalarType type = kType<E>) {
    return at::empty(shape, like.options().dtype(type));
  }

  kernels::AttentionForward<T, E> attention(const Saved& s, const Part& part) const {
    return {part.template of<E>(s.qkv, 3 * D),
            data<T>(w.qkv_bias),
            data<T>(s.bias),
            data<T>(s.mask),
            part.rows / N,
            N,
            H,
            D / H,
            call.windows ? call.windows->count : 1,
            part.template of<E>(s.attended, D),
            part.template of<T>(s.softmax, H)};
  }

  Tensor forward(const Tensor& x, const Tensor& bias, Saved& s) const {
    const int64_t rows = B * L;
    s.x = x.contiguous().view({rows, D});
    s.bias = padded(bias, kernels::kHidden<T>);
    if (call.windows && call.windows->mask.defined()) s.mask = padded(call.windows->mask, 0);
    s.w_qkv = w.qkv_weight.to(kType<E>);
    s.w_proj = w.proj_weight.to(kType<E>);
    s.w_fc1 = w.fc1_weight.to(kType<E>);
    s.w_fc2 = w.fc2_weight.to(kType<E>);
    for (Tensor* each : {&s.n1, &s.n2, &s.attended, &s.projected, &s.out}) *each = make(x, {rows, D});
    for (Tensor* each : {&s.mean1, &s.rstd1, &s.mean2, &s.rstd2}) *each = make(x, {rows}, kType<T>);
    s.qkv = make(x, {rows, 3 * D});
    s.softmax = make(x, {rows * H}, kType<T>);
    s.mixed = make(x, {rows, D}, kType<T>);
    s.hidden = make(x, {rows, hidden});
    const Tensor y = make(x, {B, L, D}, kType<T>);
    const Factors right_of{transposed(s.w_qkv), transposed(s.w_proj), transposed(s.w_fc1), transposed(s.w_fc2)};
    for_chunks([&](const Part& part, int64_t) { forward(part, s, right_of, y); });
    if (!w.gamma_1.defined()) s.projected.reset();  // only the gammas' gradients read the branches again
    if (!w.gamma_2.defined()) s.out.reset();
    return y;
  }

  const bool own = !ops.at_once && std::is_same_v<T, E> && D % 16 == 0 && hidden % 16 == 0 &&
                   kernels::has_faster_products(chunks > 1);

  // A right factor: packed, or as LibTorch takes it.
  struct Factor {
    Tensor b;
    int64_t columns;
  };
  struct Factors {
    Factor qkv, proj, fc1, fc2;
  };
  // The weight (out,in), or it transposed, as `product` takes it.
  Factor packed(const Tensor& weight, bool turned) const {
    const int64_t rows = weight.size(turned ? 1 : 0), columns = weight.size(turned ? 0 : 1);
    const Tensor b = at::empty_like(weight);
    parallel(ops.pack, kernels::Pack<T>{data<T>(weight), rows, columns, turned, data<T>(b)},
             (columns + kernels::kPackColumns - 1) / kernels::kPackColumns, 8);
    return {b, columns};
  }
  Factor factor(const Tensor& weight) const { return own ? packed(weight, false) : Factor{weight, weight.size(1)}; }
  // Many small products with a weight are faster once it lies in memory as they read it.
  Factor transposed(const Tensor& weight) const {
    return own ? packed(weight, true) : Factor{chunks > 1 ? weight.t().contiguous() : weight.t(), weight.size(0)};
  }

  void forward(const Part& part, const Saved& s, const Factors& right_of, const Tensor& y) const {
    const int64_t rows = part.rows;
    const auto t = [&](const Tensor& all) { return part.template of<T>(all, D); };
    const auto e = [&](const Tensor& all) { return part.template of<E>(all, D); };
    const auto one = [&](const Tensor& all) { return part.template of<T>(all, 1); };
    parallel(ops.norm_forward,
             kernels::NormForward<T, E>{t(s.x), order(), L, D, data<T>(w.norm1_weight), data<T>(w.norm1_bias),
                                        T(call.eps), e(s.n1), one(s.mean1), one(s.rstd1)},
             rows, kRowBlock);
    product(part.of(s.qkv), part.of(s.n1), right_of.qkv);  // the bias is added by the attention
    parallel(ops.attention_forward, attention(s, part), ops.groups(rows / N, H) * H, 1);
    product(part.of(s.projected), part.of(s.attended), right_of.proj);
    parallel(ops.residual_forward,
             kernels::ResidualForward<T, E>{t(s.x),
                                            e(s.projected),
                                            inverse(),
                                            L,
                                            D,
                                            data<T>(w.proj_bias),
                                            data<T>(w.gamma_1),
                                            factors(call.factors_1, part),
                                            t(s.mixed),
                                            {nullptr, nullptr, L, D, data<T>(w.norm2_weight), data<T>(w.norm2_bias),
                                             T(call.eps), e(s.n2), one(s.mean2), one(s.rstd2)}},
             rows, kRowBlock);
    product(part.of(s.hidden), part.of(s.n2), right_of.fc1);
    const Tensor active = make(s.hidden, {rows, hidden});
    parallel(ops.gelu_forward,
             kernels::GeluForward<T, E>{part.template of<E>(s.hidden, hidden), data<T>(w.fc1_bias), rows, hidden,
                                        data<E>(active)},
             rows, kRowBlock);
    product(part.of(s.out), active, right_of.fc2);
    parallel(ops.residual_forward,
             kernels::ResidualForward<T, E>{t(s.mixed),
                                            e(s.out),
                                            nullptr,
                                            L,
                                            D,
                                            data<T>(w.fc2_bias),
                                            data<T>(w.gamma_2),
                                            factors(call.factors_2, part),
                                            t(y),
                                            {}},
             rows, kRowBlock);
  }

  void product(Tensor out, const Tensor& a, const Factor& right) const {
    if (own)
      parallel(ops.product, kernels::Product<T>{data<T>(a), data<T>(right.b), a.size(1), right.columns, data<T>(out)},
               a.size(0), ops.row_block);
    else
      at::mm_out(out, a, right.b);
  }

  // What a thread adds up over its chunks, and the column sums of every row block.
  struct Sums {
    Tensor qkv, proj, fc1, fc2, bias, qkv_bias;
    std::array<Tensor*, 6> members() { return {&qkv, &proj, &fc1, &fc2, &bias, &qkv_bias}; }
  };
  struct Columns {
    Tensor norm1, first, norm2, second;  // (blocks,2,D)
    Tensor fc1;                          // (blocks,hidden)
  };

  Tensor backward(const Tensor& dy, const Saved& s, BlockWeights& d, Tensor& d_bias) const {
    const Tensor dx = make(s.x, {B, L, D}, kType<T>);
    Columns columns;
    for (Tensor* each : {&columns.norm1, &columns.first, &columns.norm2, &columns.second})
      *each = at::zeros({chunks * blocks, 2, D}, dy.options());
    columns.fc1 = at::zeros({chunks * blocks, hidden}, dy.options());
    const int64_t groups = ops.groups(chunk * L / N, H);
    const Factors left_of{factor(s.w_qkv), factor(s.w_proj), factor(s.w_fc1), factor(s.w_fc2)};
    std::vector<Sums> sums(static_cast<size_t>(chunks));  // at the first chunk of each thread
    for_chunks([&](const Part& part, int64_t range) {
      Sums& sum = sums[static_cast<size_t>(range)];
      if (!sum.bias.defined()) {
        sum.bias = at::zeros({groups, H, N, s.bias.size(2)}, dy.options());
        sum.qkv_bias = at::zeros({groups, 3 * D}, dy.options());
      }
      backward(part, dy, s, left_of, dx, sum, columns);
    });
    Sums& total = sums[0];
    for (size_t i = 1; i < sums.size(); ++i)
      if (sums[i].bias.defined())
        for (size_t m = 0; m < total.members().size(); ++m) total.members()[m]->add_(*sums[i].members()[m]);
    d.qkv_weight = total.qkv;
    d.proj_weight = total.proj;
    d.fc1_weight = total.fc1;
    d.fc2_weight = total.fc2;
    d_bias = total.bias.sum(0).narrow(2, 0, N);
    d.qkv_bias = total.qkv_bias.sum(0);
    d.fc1_bias = columns.fc1.sum(0);
    const Tensor norm1 = columns.norm1.sum(0), first = columns.first.sum(0);
    const Tensor norm2 = columns.norm2.sum(0), second = columns.second.sum(0);
    d.norm1_weight = norm1[0], d.norm1_bias = norm1[1];
    d.norm2_weight = norm2[0], d.norm2_bias = norm2[1];
    d.gamma_1 = first[0], d.proj_bias = first[1];
    d.gamma_2 = second[0], d.fc2_bias = second[1];
    return dx;
  }

  void backward(const Part& part, const Tensor& dy, const Saved& s, const Factors& left_of, const Tensor& dx, Sums& sum,
                const Columns& columns) const {
    const int64_t rows = part.rows, row_blocks = (rows + ops.row_block - 1) / ops.row_block,
                  block = part.index * blocks;
    const auto t = [&](const Tensor& all) { return part.template of<T>(all, D); };
    const auto e = [&](const Tensor& all) { return part.template of<E>(all, D); };
    const auto one = [&](const Tensor& all) { return part.template of<T>(all, 1); };

    // The MLP: d_branch, its product and d_mixed follow dy backwards.
    const Tensor d_branch = make(dy, {rows, D}), d_hidden = make(dy, {rows, hidden}), active = make(dy, {rows, hidden});
    parallel(ops.residual_backward,
             kernels::ResidualBackward<T, E>{t(dy), e(s.out), nullptr, rows, L, D, data<T>(w.fc2_bias),
                                             data<T>(w.gamma_2), factors(call.factors_2, part), data<E>(d_branch),
                                             data<T>(columns.second) + block * 2 * D},
             row_blocks, 1);
    product(d_hidden, d_branch, left_of.fc2);
    parallel(
        ops.gelu_backward,
        kernels::GeluBackward<T, E>{part.template of<E>(s.hidden, hidden), data<E>(d_hidden), data<T>(w.fc1_bias), rows,
                                    hidden, data<E>(active), data<E>(d_hidden), data<T>(columns.fc1) + block * hidden},
        row_blocks, 1);
    add_weight_gradient(sum.fc2, d_branch, active);
    add_weight_gradient(sum.fc1, d_hidden, part.of(s.n2));
    const Tensor d_norm = make(dy, {rows, D}), d_mixed = make(dy, {rows, D}, kType<T>);
    product(d_norm, d_hidden, left_of.fc1);
    parallel(ops.norm_backward,
             kernels::NormBackward<T, E>{data<E>(d_norm), nullptr, t(s.mixed), one(s.mean2), one(s.rstd2),
                                         data<T>(w.norm2_weight), t(dy), rows, L, D, data<T>(d_mixed),
                                         data<T>(columns.norm2) + block * 2 * D},
             row_blocks, 1);

    // Attention.
    parallel(ops.residual_backward,
             kernels::ResidualBackward<T, E>{data<T>(d_mixed), e(s.projected), inverse(), rows, L, D,
                                             data<T>(w.proj_bias), data<T>(w.gamma_1), factors(call.factors_1, part),
                                             data<E>(d_branch), data<T>(columns.first) + block * 2 * D},
             row_blocks, 1);
    add_weight_gradient(sum.proj, d_branch, part.of(s.attended));
    product(d_norm, d_branch, left_of.proj);  // of the attention's output
    const Tensor d_qkv = make(dy, {rows, 3 * D});
    parallel(ops.attention_backward,
             kernels::AttentionBackward<T, E>{attention(s, part), data<E>(d_norm), data<E>(d_qkv), data<T>(sum.bias),
                                              data<T>(sum.qkv_bias)},
             ops.groups(rows / N, H) * H, 1);
    add_weight_gradient(sum.qkv, d_qkv, part.of(s.n1));
    product(d_norm, d_qkv, left_of.qkv);
    parallel(ops.norm_backward,
             kernels::NormBackward<T, E>{data<E>(d_norm), inverse(), t(s.x), one(s.mean1), one(s.rstd1),
                                         data<T>(w.norm1_weight), data<T>(d_mixed), rows, L, D, t(dx),
                                         data<T>(columns.norm1) + block * 2 * D},
             row_blocks, 1);
  }

  // sum (out,in) += d_out^T input, or = where it is not defined; products of bf16 operands are added up in f32.
  void add_weight_gradient(Tensor& sum, const Tensor& d_out, const Tensor& input) const {
    const bool first = !sum.defined();
    if (own && input.size(1) <= 256) {
      if (first) sum = at::zeros({d_out.size(1), input.size(1)}, d_out.options());
      parallel(ops.weight_gradient,
               kernels::WeightGradient<T>{data<T>(d_out), data<T>(input), d_out.size(0), d_out.size(1), input.size(1),
                                          data<T>(sum)},
               d_out.size(1), 48);
    } else if (first) {
      sum = at::mm(d_out.t(), input).to(kType<T>);
    } else if constexpr (std::is_same_v<T, E>) {
      sum.addmm_(d_out.t(), input);
    } else {
      sum.add_(at::mm(d_out.t(), input));
    }
  }
};

}  // namespace simmim::fused
