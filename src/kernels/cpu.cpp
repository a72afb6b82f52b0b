#include "kernels/cpu.h"

#include <unistd.h>

#include <algorithm>

#include "kernels/isa.h"

namespace simmim::kernels {
namespace {

bool has_avx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

}  // namespace

int64_t chunk_bytes() {
  constexpr int64_t most = 1 << 20;
  const int64_t cache = sysconf(_SC_LEVEL2_CACHE_SIZE);  // 0 or -1 where a virtual machine hides it
  return cache > 0 ? std::min(cache, most) : most;
}

int64_t attention_columns(int64_t N) { return (N + 15) / 16 * 16; }

bool has_faster_products(bool chunked) { return chunked || !__builtin_cpu_is("intel"); }

// Enough items for sixteen threads, from the shape alone.
int64_t attention_groups(int64_t sequences, int64_t H) { return std::clamp<int64_t>((16 + H - 1) / H, 1, sequences); }

template <class T, class E>
const Operations<T, E>* operations() {
  if (has_avx512()) return avx512::table<T, E>();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return avx2::table<T, E>();
  return nullptr;
}

template const Operations<float, float>* operations();
template const Operations<float, bf16>* operations();
template const Operations<double, double>* operations();

}  // namespace simmim::kernels
