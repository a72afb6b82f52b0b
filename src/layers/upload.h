// What a step brings from the host to its device.
#pragma once
#include "layers/torch.h"

namespace simmim {

// A tensor of the host on `device`. A GPU is not waited for: the copy goes through pinned memory, which LibTorch's
// allocator keeps until the copy is made; `host` may change as soon as this returns.
inline Tensor upload(const Tensor& host, at::Device device) {
  if (!device.is_cuda()) return host.to(device);
  return host.pin_memory().to(host.options().device(device), /*non_blocking=*/true);
}

}  // namespace simmim
