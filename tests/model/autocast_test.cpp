// precision=bf16 is of training alone: what is evaluated is computed in f32.
#include <gtest/gtest.h>

#include "encoders/encoders.h"
#include "heads/heads.h"
#include "model/classifier.h"
#include "model/simmim.h"
#include "small.h"

namespace simmim {
namespace {

Json autocast_config(const std::string& encoder, const std::string& head) {
  return {{"data", {{"image_size", 16}}}, {"encoder", small_encoder(encoder)}, {"mask", {{"patch", 4}, {"ratio", 0.5}}},
          {"head", small_head(head)},     {"target", {{"name", "pixels"}}},    {"loss", {{"name", "l1"}}}};
}

Tensor autocast_images() { return (at::arange(2 * 3 * 256, at::kFloat) * 0.7).sin().view({2, 3, 16, 16}); }

TEST(Autocast, IsNeverInEvaluationOfAMethod) {
  const at::NoGradGuard no_grad;
  const Tensor mask = (at::arange(32, at::kInt) % 3 == 0).view({2, 4, 4}).to(at::kByte);
  for (const std::string& encoder : names_of(encoders()))
    for (const std::string& head : names_of(heads())) {
      const SimMim exact(autocast_config(encoder, head), {}), fast(autocast_config(encoder, head), {.autocast = true});
      const auto prediction = [&](const SimMim& model) {
        return model.forward(autocast_images(), mask, StepContext{}).prediction;
      };
      EXPECT_TRUE(prediction(fast).equal(prediction(exact))) << encoder << " " << head;
    }
}

TEST(Autocast, IsNeverInEvaluationOfAClassifier) {
  const at::NoGradGuard no_grad;
  for (const std::string& encoder : names_of(encoders())) {
    const Classifier exact(autocast_config(encoder, "linear"), 3, {});
    const Classifier fast(autocast_config(encoder, "linear"), 3, {.autocast = true});
    EXPECT_TRUE(fast.logits(autocast_images(), {}).equal(exact.logits(autocast_images(), {}))) << encoder;
    const std::vector<Tensor> wanted = exact.features(autocast_images()), got = fast.features(autocast_images());
    for (size_t layer = 0; layer < wanted.size(); ++layer)
      EXPECT_TRUE(got[layer].equal(wanted[layer])) << encoder << " " << layer;
  }
}

}  // namespace
}  // namespace simmim
