// What the tests over every encoder do not know of Swin V2; beside timm's it stands in tests/parity.
#include "encoders/swinv2.h"

#include <gtest/gtest.h>

#include "core/files.h"
#include "encoders/encoders.h"

namespace simmim {
namespace {

// timm 1.0.31, without a classifier's head (scripts/golden/encoders.py).
TEST(Swinv2, HasThePublishedNumbersOfParameters) {
  const Json published = read_json_file(fs::path(SIMMIM_SOURCE_DIR) / "tests/golden/swinv2.json")["published"];
  for (const auto& [preset, count] : published.items()) {
    NamedTensors parameters;
    const int64_t size = preset == "swinv2_large" ? 192 : 256;
    const Json block = resolve_encoder({{"preset", preset}}, size);
    find_variant(encoders(), block, "encoder")
        .make(block, Scope(parameters, {.device = at::kMeta}), EncoderSite{size, Stage::finetune});
    EXPECT_EQ(count_elements(parameters), count.get<int64_t>()) << preset;
  }
}

}  // namespace
}  // namespace simmim
