// Runs the source of CUDA kernels on the CPU: include it before a .cuh of src/cuda. A block's threads are fibers that
// take turns at barriers; blocks follow one another. What a warp does together (shuffles, the tensor cores' products,
// ldmatrix) is written out here from PTX's description of which lane holds what. Shared memory is full of NaN at first.
#pragma once
#include <setjmp.h>
#include <ucontext.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <stdexcept>
#include <vector>

#define SIMMIM_ON_HOST
#define __global__
#define __device__
#define __shared__ static
#define __launch_bounds__(...)

namespace simmim::cuda {

struct Index {
  unsigned x = 0;
};
inline Index threadIdx, blockIdx, blockDim;

// The threads of one block at a time.
class Fibers {
 public:
  struct Barrier {
    int waiting = 0;
    int64_t opened = 0;
  };
  // What the lanes of a warp show one another.
  struct Warp {
    Barrier barrier;
    float value[32], a[32][8], b[32][4];
    const void* row[32];
  };

  static Fibers& get() {
    static Fibers fibers;
    return fibers;
  }

  void run(int threads, int64_t shared_bytes, const std::function<void()>& body) {
    body_ = &body;
    threads_ = threads;
    shared_.assign(static_cast<size_t>(shared_bytes + 3) / 4, std::nanf(""));
    warps_.assign(static_cast<size_t>(threads + 31) / 32, {});
    block_ = {};
    while (fibers_.size() < static_cast<size_t>(threads)) fibers_.push_back(std::make_unique<Fiber>());
    for (int i = 0; i < threads; ++i) {
      Fiber& fiber = *fibers_[static_cast<size_t>(i)];
      fiber.done = fiber.started = false;
      getcontext(&fiber.context);
      fiber.context.uc_stack = {.ss_sp = fiber.stack, .ss_flags = 0, .ss_size = sizeof fiber.stack};
      makecontext(
          &fiber.context, [] { get().start(); }, 0);
    }
    for (int left = threads; left > 0;) {
      moved_ = false;
      for (int i = 0; i < threads; ++i) {
        Fiber& fiber = *fibers_[static_cast<size_t>(i)];
        if (fiber.done) continue;
        threadIdx.x = static_cast<unsigned>(i);
        resume(fiber);
        if (fiber.done) --left;
      }
      if (!moved_) throw std::logic_error("threads of a block wait for one another for ever");
    }
  }

  void wait(Barrier& barrier, int threads) {
    const int64_t before = barrier.opened;
    if (++barrier.waiting == threads) {
      barrier.waiting = 0;
      ++barrier.opened;
      moved_ = true;
    }
    while (barrier.opened == before) yield();
  }
  void wait_for_block() { wait(block_, threads_); }
  void wait_for_warp() { wait(warp().barrier, 32); }
  Warp& warp() { return warps_[threadIdx.x / 32]; }
  void* shared() { return shared_.data(); }

 private:
  struct Fiber {
    ucontext_t context;  // to start in; from then on a jump, which needs no call of the kernel, is ten times faster
    jmp_buf at;
    bool started, done;
    alignas(16) char stack[64 << 10];
  };
  void start() {
    (*body_)();
    fibers_[threadIdx.x]->done = moved_ = true;
    _longjmp(scheduler_, 1);
  }
  __attribute__((noinline)) void resume(Fiber& fiber) {
    if (_setjmp(scheduler_) != 0) return;
    if (fiber.started) _longjmp(fiber.at, 1);
    fiber.started = true;
    setcontext(&fiber.context);
  }
  __attribute__((noinline)) void yield() {
    if (_setjmp(fibers_[threadIdx.x]->at) == 0) _longjmp(scheduler_, 1);
  }

  const std::function<void()>* body_ = nullptr;
  int threads_ = 0;
  bool moved_ = false;
  jmp_buf scheduler_;
  std::vector<std::unique_ptr<Fiber>> fibers_;
  std::vector<float> shared_;
  std::vector<Warp> warps_;
  Barrier block_;
};

inline void __syncthreads() { Fibers::get().wait_for_block(); }

template <class... P, class... A>
void launch(void (*kernel)(P...), int64_t blocks, int threads, int64_t shared, const A&... arguments) {
  blockDim.x = static_cast<unsigned>(threads);
  for (int64_t block = 0; block < blocks; ++block) {
    blockIdx.x = static_cast<unsigned>(block);
    Fibers::get().run(threads, shared, [&] { kernel(arguments...); });
  }
}

inline int64_t shared_memory_limit() { return 227 << 10; }  // of an H100
inline bool has_kernels() { return true; }
inline unsigned char* shared_memory() { return static_cast<unsigned char*>(Fibers::get().shared()); }

inline float float_of_bits(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}
inline uint32_t bits_of(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}
inline uint32_t to_bf16(float value) {
  const uint32_t bits = bits_of(value);
  return std::isnan(value) ? 0x7fff : (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}
inline uint32_t pack(float low, float high) { return to_bf16(high) << 16 | to_bf16(low); }
inline float to_tf32(float value) { return float_of_bits((bits_of(value) + 0x1000) & ~0x1fffu); }
inline float fast_exp(float x) { return std::exp(x); }

// f(warp, lane) shows something; then all of the warp's lanes have.
template <class F>
Fibers::Warp& show(const F& f) {
  Fibers& fibers = Fibers::get();
  f(fibers.warp(), threadIdx.x % 32);
  fibers.wait_for_warp();
  return fibers.warp();
}
inline void hide() { Fibers::get().wait_for_warp(); }  // nobody looks any more

inline float shuffle_xor(float value, int mask) {
  Fibers::Warp& warp = show([&](Fibers::Warp& w, unsigned lane) { w.value[lane] = value; });
  const float other = warp.value[threadIdx.x % 32 ^ static_cast<unsigned>(mask)];
  hide();
  return other;
}

// A lane's numbers of c (16x8), by a(row, k) and b(k, column).
template <class A, class B>
void add_product_of_warp(float (&c)[4], unsigned count, const A& a, const B& b) {
  const unsigned lane = threadIdx.x % 32;
  for (unsigned i = 0; i < 4; ++i) {
    double sum = c[i];
    for (unsigned k = 0; k < count; ++k) sum += double{a(lane / 4 + i / 2 * 8, k)} * b(k, lane % 4 * 2 + i % 2);
    c[i] = static_cast<float>(sum);
  }
  hide();
}

// mma.m16n8k16: register r of a holds row lane / 4 + r % 2 * 8, columns lane % 4 * 2 + r / 2 * 8 and the next.
inline void mma_bf16(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  const Fibers::Warp& w = show([&](Fibers::Warp& own, unsigned lane) {
    for (int i = 0; i < 8; ++i) own.a[lane][i] = float_of_bits(a[i / 2] >> (i % 2 * 16) << 16);
    for (int i = 0; i < 4; ++i) own.b[lane][i] = float_of_bits(b[i / 2] >> (i % 2 * 16) << 16);
  });
  add_product_of_warp(
      c, 16, [&](unsigned row, unsigned k) { return w.a[row % 8 * 4 + k % 8 / 2][(row / 8 + k / 8 * 2) * 2 + k % 2]; },
      [&](unsigned k, unsigned column) { return w.b[column * 4 + k % 8 / 2][k / 8 * 2 + k % 2]; });
}

// mma.m16n8k8: register r of a holds row lane / 4 + r % 2 * 8, column lane % 4 + r / 2 * 4.
inline void mma_tf32(float (&c)[4], const float (&a)[4], const float (&b)[2]) {
  const Fibers::Warp& w = show([&](Fibers::Warp& own, unsigned lane) {
    for (int i = 0; i < 4; ++i) own.a[lane][i] = to_tf32(a[i]);
    for (int i = 0; i < 2; ++i) own.b[lane][i] = to_tf32(b[i]);
  });
  add_product_of_warp(
      c, 8, [&](unsigned row, unsigned k) { return w.a[row % 8 * 4 + k % 4][row / 8 + k / 4 * 2]; },
      [&](unsigned k, unsigned column) { return w.b[column * 4 + k % 4][k / 4]; });
}

// ldmatrix.x2.trans: matrix m's rows are named by lanes 8 m to 8 m + 7; a lane gets rows lane % 4 * 2 and the next of
// column lane / 4.
inline void load_transposed(uint32_t (&r)[2], const void* row) {
  const Fibers::Warp& w = show([&](Fibers::Warp& own, unsigned lane) { own.row[lane] = row; });
  const unsigned lane = threadIdx.x % 32;
  for (unsigned m = 0; m < 2; ++m) {
    uint16_t two[2];
    for (unsigned i = 0; i < 2; ++i)
      std::memcpy(&two[i], static_cast<const char*>(w.row[8 * m + lane % 4 * 2 + i]) + 2 * (lane / 4), 2);
    r[m] = uint32_t{two[1]} << 16 | two[0];
  }
  hide();
}

}  // namespace simmim::cuda
