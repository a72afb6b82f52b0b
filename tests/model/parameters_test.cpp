// How many parameters the paper's models have (facts of its tables and of the official code).
#include <gtest/gtest.h>

#include "encoders/encoders.h"
#include "model/simmim.h"

namespace simmim {
namespace {

struct Counts {
  int64_t encoder = 0, head = 0;
};

Counts count(const std::string& preset, int64_t image_size, const Json& head) {
  const SimMim model({{"data", {{"image_size", image_size}}},
                      {"encoder", resolve_encoder({{"preset", preset}}, image_size)},
                      {"mask", {{"patch", 32}, {"ratio", 0.6}}},
                      {"head", head},
                      {"target", {{"name", "pixels"}}},
                      {"loss", {{"name", "l1"}}}},
                     {.device = at::kMeta});
  Counts counts;
  for (const auto& [name, parameter] : model.parameters())
    (name.starts_with("decoder.") ? counts.head : counts.encoder) += parameter.numel();
  return counts;
}

TEST(Parameters, AreTheOfficialModels) {
  for (const auto& [preset, size, all] : {std::tuple{"swin_base", 192, 89874104}, {"vit_base", 224, 86256720}}) {
    const Counts counts = count(preset, size, {{"name", "linear"}});
    EXPECT_EQ(counts.encoder + counts.head, all) << preset;
  }
}

// The paper's Table 2, Swin-B at 192 pixels. It prints millions, of which those of the inverse Swins stand within 0.2 %
// of ours: the authors published no layout.
TEST(Parameters, AreThoseOfThePapersHeads) {
  constexpr int64_t kEncoder = 86725304;
  struct Row {
    Json head;
    int64_t parameters;
    double millions, tolerance;  // encoder and head
  };
  const Row rows[] = {{{{"name", "linear"}}, 1025 * 3072, 89.9, 0.05},
                      {{{"name", "mlp"}}, 1025 * 1024 + 1025 * 3072, 90.9, 0.05},
                      {{{"name", "inverse_swin"}, {"size", "tiny"}}, 28295466, 115.2, 0.002 * 115.2},
                      {{{"name", "inverse_swin"}, {"size", "base"}}, 87768808, 174.8, 0.002 * 174.8}};
  for (const Row& row : rows) {
    const Counts counts = count("swin_base", 192, row.head);
    EXPECT_EQ(counts.encoder, kEncoder) << row.head;
    EXPECT_EQ(counts.head, row.parameters) << row.head;
    EXPECT_NEAR(static_cast<double>(counts.encoder + counts.head) / 1e6, row.millions, row.tolerance) << row.head;
  }
}

}  // namespace
}  // namespace simmim
