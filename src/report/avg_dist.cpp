#include "report/avg_dist.h"

#include <cmath>
#include <map>

#include "masks/distance.h"
#include "masks/mask.h"

namespace simmim {

double mean_avg_dist(const Json& pretrain_config) {
  constexpr uint64_t kMasks = 100;
  for (const char* path : {"data.image_size", "encoder.patch", "mask.patch"})
    if (find_path(pretrain_config, path) == nullptr) return std::nan("");
  static std::map<std::string, double> known;
  const Json what = {{"data", {{"image_size", pretrain_config.at("data").at("image_size")}}},
                     {"encoder", {{"patch", pretrain_config.at("encoder").at("patch")}}},
                     {"mask", pretrain_config.at("mask")}};
  const auto [it, is_new] = known.emplace(canonical(what), 0);
  if (!is_new) return it->second;
  const std::unique_ptr<MaskGenerator> generator = make_masks(what);
  const int64_t patch = what["mask"]["patch"];
  for (uint64_t i = 0; i < kMasks; ++i) {
    Rng rng(0, "mask preview", 0, i);  // the masks that `simmim mask` shows
    it->second += avg_dist(generator->generate(rng), generator->grid(), patch) / kMasks;
  }
  return it->second;
}

}  // namespace simmim
