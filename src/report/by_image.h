// Two classifiers compared on the same test images, from the predictions that fine-tuning, probing and `simmim eval`
// leave in eval.safetensors. Says whether these trained weights differ; over seeds is the table's own test.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/files.h"
#include "report/statistics.h"

namespace simmim {

struct ImageComparison {
  int64_t images = 0;
  Difference difference;                    // second minus first, in points of accuracy; paired t-test over images
  int64_t only_first = 0, only_second = 0;  // images that one gets right more often than the other
};

// `first`, `second`: runs of either side (seeds), averaged image by image. nullopt where a run has no stored
// predictions or the images differ.
std::optional<ImageComparison> compare_by_image(const fs::path& out, const std::vector<std::string>& first,
                                                const std::vector<std::string>& second);

}  // namespace simmim
