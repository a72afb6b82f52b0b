#include "runs/loss_kind.h"

namespace simmim {

std::string loss_kind(const Json& config) {
  std::string kind;
  for (const char* path :
       {"mask", "target", "loss", "data.name", "data.mean", "data.std", "data.image_size", "finetune.label_smoothing"})
    if (const Json* part = find_path(config, path)) kind += canonical(*part) + ";";
  return kind;
}

}  // namespace simmim
