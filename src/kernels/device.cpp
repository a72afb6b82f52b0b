// Loads the plug-in at most once and turns each way of having no GPU into one sentence.
#include "kernels/device.h"

#include <dlfcn.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>

#include "core/error.h"
#include "kernels/cuda_api.h"
#include "kernels/plugin.h"

namespace simmim {
namespace fs = std::filesystem;
namespace {

constexpr const char* kPlugin = "libsimmim_cuda.so";
constexpr const char* kUseCpu = "use device=cpu";

// Why there is no GPU to use, or the plug-in's functions.
struct Cuda {
  const CudaApi* api = nullptr;
  int count = 0;
  std::string why_not;
};

bool has_driver() {
  if (fs::exists("/dev/nvidiactl") || fs::exists("/dev/dxg")) return true;
  void* driver = ::dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
  if (driver) ::dlclose(driver);
  return driver != nullptr;
}

Cuda load_plugin() {
  if (!has_driver()) return {.why_not = "this machine has no NVIDIA driver"};
  using Function = const CudaApi*();
  Cuda none;
  auto* function = reinterpret_cast<Function*>(plugin_symbol(kPlugin, kCudaApiSymbol, "CUDA toolkit", none.why_not));
  if (function == nullptr) return none;
  if (function()->version != kCudaApiVersion)
    return {.why_not = fmt::format("{} is of another version than the engine; build both anew", kPlugin)};
  Cuda cuda{.api = function()};
  char why[512];
  cuda.count = cuda.api->count(why, sizeof why);
  if (cuda.count == 0) cuda.why_not = fmt::format("CUDA finds no GPU ({})", why);
  return cuda;
}

const Cuda& cuda() {
  static const Cuda loaded = load_plugin();
  return loaded;
}

// "cuda" -> 0, "cuda:3" -> 3, anything else nothing.
std::optional<int> cuda_index(const std::string& text) {
  if (text == "cuda") return 0;
  if (!text.starts_with("cuda:")) return std::nullopt;
  const char *begin = text.data() + 5, *end = text.data() + text.size();
  int index = -1;
  const auto [stop, error] = std::from_chars(begin, end, index);
  if (error != std::errc() || stop != end || index < 0) return std::nullopt;
  return index;
}

at::Device cuda_device(int index) { return {at::kCUDA, static_cast<at::DeviceIndex>(index)}; }

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown processor";
}

}  // namespace

at::Device resolve_device(const std::string& text) {
  if (text == "cpu") return at::kCPU;
  if (text == "auto") return cuda().count > 0 ? cuda_device(0) : at::Device(at::kCPU);
  const auto index = cuda_index(text);
  if (!index) fail(Code::usage, "device: got '{}'; allowed are auto, cpu, cuda and cuda:N, N counting from 0", text);
  if (cuda().count == 0) fail(Code::device, "device: got '{}', but {}; {}", text, cuda().why_not, kUseCpu);
  if (*index >= cuda().count) {
    fail(Code::device, "device: got '{}', but this machine has {} GPU{}; use cuda:0{}", text, cuda().count,
         cuda().count == 1 ? "" : "s", cuda().count == 1 ? "" : fmt::format(" to cuda:{}", cuda().count - 1));
  }
  return cuda_device(*index);
}

DeviceInfo device_info(at::Device device) {
  if (device.is_cuda()) {
    CudaDevice gpu{};
    cuda().api->describe(device.index(), &gpu);
    return {.name = gpu.name,
            .capability = fmt::format("sm_{}{}", gpu.major, gpu.minor),
            .driver = fmt::format("{}.{}", gpu.driver / 1000, gpu.driver % 1000 / 10),
            .memory_bytes = gpu.memory_bytes,
            .fast_bf16 = gpu.major >= 8};
  }
  const bool bf16 = __builtin_cpu_supports("avx512bf16");  // processors with amx have it too
  return {.name = processor_name(),
          .capability = bf16 ? "avx512_bf16" : "",
          .driver = "",
          .memory_bytes = int64_t{::sysconf(_SC_PHYS_PAGES)} * ::sysconf(_SC_PAGESIZE),
          .fast_bf16 = bf16};
}

int64_t peak_memory_bytes(at::Device device) {
  if (device.is_cuda()) return cuda().api->peak_memory_bytes(device.index());
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return int64_t{usage.ru_maxrss} * 1024;
}

int64_t cgroup_limit(const std::string& groups, const std::string& root) {
  int64_t least = std::numeric_limits<int64_t>::max();
  std::ifstream file(groups);
  for (std::string line; std::getline(file, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (!controllers.empty() && controllers != "memory") continue;
    const fs::path top = controllers.empty() ? fs::path(root) : fs::path(root) / "memory";
    for (fs::path at = line.substr(second + 1);; at = at.parent_path()) {
      std::ifstream limit(top / at.relative_path() / (controllers.empty() ? "memory.max" : "memory.limit_in_bytes"));
      if (int64_t bytes = 0; limit >> bytes && bytes > 0) least = std::min(least, bytes);
      if (!at.has_relative_path()) break;
    }
  }
  return least;
}

int64_t memory_limit(at::Device device) {
  int64_t limit = device_info(device).memory_bytes;
  return device.is_cpu() ? std::min(limit, cgroup_limit("/proc/self/cgroup", "/sys/fs/cgroup")) : limit;
}

template <class T, class E>
const kernels::Operations<T, E>* operations_on(at::Device device) {
  if (device.is_cpu()) return kernels::operations<T, E>();
  if (!device.is_cuda() || !cuda().api) return nullptr;
  if constexpr (std::is_same_v<E, float>) return cuda().api->in_float;
  if constexpr (std::is_same_v<E, kernels::bf16>) return cuda().api->in_bf16;
  return nullptr;
}
template const kernels::Operations<float, float>* operations_on(at::Device);
template const kernels::Operations<float, kernels::bf16>* operations_on(at::Device);
template const kernels::Operations<double, double>* operations_on(at::Device);

int rank_gpu(const std::string& text, int count, const Launch& launch) {
  if (count == 1) return 0;        // the launcher shows each process one of its own
  if (launch.local_rank >= count)  // local_size is that of the first host, which others may differ from
    fail(Code::usage, "device: {} or more processes on this host have {} GPUs, and each needs one; start {} a host",
         launch.local_rank + 1, count, count);
  const auto given = text == "cuda" ? std::nullopt : cuda_index(text);
  if (given && launch.local_size > 1)
    fail(Code::usage,
         "device: got '{}' for {} processes on this host, and each needs a GPU of its own; use device=cuda", text,
         launch.local_size);
  return given.value_or(launch.local_rank % count);
}

at::Device rank_device(const std::string& text, const Launch& launch) {
  const at::Device device = resolve_device(text);
  return device.is_cpu() ? device : cuda_device(rank_gpu(text, cuda().count, launch));
}

void synchronize(at::Device device) {
  if (device.is_cuda()) cuda().api->synchronize(device.index());
}

}  // namespace simmim
