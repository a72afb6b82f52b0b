#include "sweep/gpus.h"

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "core/names.h"

namespace simmim {

std::vector<std::string> visible_gpus() {
  std::vector<std::string> gpus;
  if (const char* listed = std::getenv("CUDA_VISIBLE_DEVICES")) {
    for (const std::string& name : split(listed, ',')) {
      if (trim(name).empty() || trim(name) == "-1") break;  // CUDA, too, reads no further
      gpus.emplace_back(trim(name));
    }
    return gpus;
  }
  const std::unique_ptr<FILE, int (*)(FILE*)> listing(popen("nvidia-smi -L 2>/dev/null", "r"), pclose);
  char line[512];
  while (listing && std::fgets(line, sizeof line, listing.get()) != nullptr) {
    const std::string text = line;  // "GPU 0: NVIDIA H100 (UUID: ...)"; parts of one are indented
    if (text.starts_with("GPU ")) gpus.push_back(text.substr(4, text.find(':') - 4));
  }
  return gpus;
}

}  // namespace simmim
