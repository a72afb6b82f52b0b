// The GPUs that this process may use.
#pragma once
#include <string>
#include <vector>

namespace simmim {

// The names that CUDA_VISIBLE_DEVICES lists, if it is set ("" and "-1": none); else the numbers that `nvidia-smi -L`
// shows; empty where there is none.
std::vector<std::string> visible_gpus();

}  // namespace simmim
