#include "train/bench.h"

#include <gtest/gtest.h>

#include "config/resolve.h"
#include "encoders/encoders.h"
#include "kernels/device.h"

namespace simmim {
namespace {

Json config_of(const std::string& encoder, const std::string& precision) {
  const Json keys = {{"encoder.name", encoder}, {"precision", precision}, {"device", "cpu"}};
  return model_config({.layers = {{"test", keys}}}, "pretrain");
}

TEST(ExpectedRate, IsMeasuredOnceForTheProductsOfAnEncoder) {
  for (const std::string& encoder : names_of(encoders())) {
    const Json config = config_of(encoder, "f32");
    const double rate = expected_gflops(config);
    EXPECT_GT(rate, 0) << encoder;
    EXPECT_EQ(expected_gflops(config), rate) << encoder;
  }
}

TEST(ExpectedRate, IsUnknownOfADeviceThatIsNotHere) {
  Json config = config_of("vit", "f32");
  config["device"] = "cuda:99";
  EXPECT_EQ(expected_gflops(config), 0);
}

TEST(BenchStep, SaysWhatShareOfItsProductsRateAStepReaches) {
  Json config = config_of("vit", "f32");
  config["encoder"].update({{"dim", 32}, {"depth", 1}, {"heads", 2}});
  config["pretrain"]["batch_size"] = 4;
  const Json measured = bench_step(config);
  EXPECT_GT(measured["share_of_products"].get<double>(), 0);
  EXPECT_GT(measured["memory"].get<int64_t>(), 1 << 20);
}

}  // namespace
}  // namespace simmim
