// What holds for the method whatever the encoder: run over all, with every head and loss where it matters.
#include "model/simmim.h"

#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "encoders/encoders.h"
#include "heads/heads.h"
#include "losses/losses.h"
#include "model/classifier.h"
#include "needed_options.h"
#include "small.h"
#include "targets/targets.h"

namespace simmim {
namespace {

Json small_config(const std::string& encoder) {
  return {{"data", {{"image_size", 16}}}, {"encoder", small_encoder(encoder)}, {"mask", {{"patch", 4}, {"ratio", 0.5}}},
          {"head", {{"name", "linear"}}}, {"target", {{"name", "pixels"}}},    {"loss", {{"name", "l1"}}}};
}

Tensor images(int64_t B, at::ScalarType dtype = at::kDouble) {
  return (at::arange(B * 3 * 256, at::kDouble) * 0.7).sin().view({B, 3, 16, 16}).to(dtype);
}

// Mask on a 4 x 4 grid: cell i of image b is masked iff (5 i + 3 b) mod 7 < 3.
Tensor masks(int64_t B) {
  Tensor out = at::empty({B, 4, 4}, at::kByte);
  for (int64_t i = 0; i < out.numel(); ++i) out.data_ptr<uint8_t>()[i] = (5 * (i % 16) + 3 * (i / 16)) % 7 < 3;
  return out;
}

// Initial weights are too tame to tell paths apart: everything gets a larger, fixed value.
void stir(const NamedTensors& parameters) {
  const at::NoGradGuard no_grad;
  double phase = 0;
  for (const auto& [name, parameter] : parameters)
    Tensor(parameter).add_((at::arange(parameter.numel(), at::kDouble) * 0.9 + ++phase).sin().view(parameter.sizes()) *
                           0.1);
}

// Every target with every loss that takes it, at its own resolution and at 8.
std::vector<std::pair<Json, Json>> targets_with_losses() {
  std::vector<std::pair<Json, Json>> all;
  for (const auto& row : targets()) {
    const Json needed = needed_options(row, {{"name", row.name}});
    const auto target = row.make(row.resolve(needed, "target"), TargetSite{.image_size = 16, .cells = 4});
    for (const std::string& loss : losses_for(target->classes() > 0)) {
      all.push_back({needed, {{"name", loss}}});
      all.push_back({needed_options(row, {{"name", row.name}, {"resolution", 8}}), {{"name", loss}}});
    }
  }
  return all;
}

// Constants that a fit would give: colours that differ.
void fill_constants(const Target& target) {
  for (const auto& [name, tensor] : target.constants())
    Tensor(tensor).copy_((at::arange(tensor.numel(), at::kDouble) * 0.7).sin().view(tensor.sizes()));
}

class Method : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Encoders, Method, testing::ValuesIn(names_of(encoders())),
                         [](const auto& row) { return row.param; });

TEST_P(Method, PredictingMaskedCellsAloneGivesTheSameLossAndGradients) {
  for (const auto& head : heads())
    for (const auto& [target, loss] : targets_with_losses()) {
      Json config = small_config(GetParam());
      config["head"] = small_head(head.name);
      config["target"] = target;
      config["loss"] = loss;
      const SimMim dense(config, {.dtype = at::kDouble}), gathered(config, {.dtype = at::kDouble});
      stir(dense.parameters());
      stir(gathered.parameters());
      fill_constants(dense.target());
      fill_constants(gathered.target());
      const Tensor all = dense.forward(images(3), masks(3), {.training = false}).loss;
      const Tensor some = gathered.forward(images(3), masks(3), {.training = true}).loss;
      EXPECT_NEAR(all.item<double>(), some.item<double>(), 1e-12);
      all.backward();
      some.backward();
      for (size_t i = 0; i < dense.parameters().size(); ++i)
        EXPECT_TRUE(dense.parameters()[i].second.grad().allclose(gathered.parameters()[i].second.grad(), 1e-9, 1e-13))
            << dense.parameters()[i].first;
    }
}

TEST_P(Method, NamesTheLossesThatATargetTakes) {
  Json config = small_config(GetParam());
  const auto refusal = [&](const char* target, const char* loss) -> std::string {
    config["target"] = {{"name", target}};
    config["loss"] = {{"name", loss}};
    try {
      SimMim(config, {.device = at::kMeta});
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_EQ(
      refusal("color_bins", "l2"),
      "loss.name: 'l2' cannot compare with target 'color_bins', which is made of classes; use loss.name=cross_entropy");
  EXPECT_EQ(refusal("pixels", "cross_entropy"),
            "loss.name: 'cross_entropy' cannot compare with target 'pixels', which is made of values; use "
            "loss.name=l1, l2 or "
            "smooth_l1");
}

TEST_P(Method, MeasuresHowWellMaskedClassesArePredicted) {
  for (const char* area : {"masked", "all"}) {
    Json config = small_config(GetParam());
    config["target"] = {{"name", "color_bins"}, {"bins", 5}, {"resolution", 8}};
    config["loss"] = {{"name", "cross_entropy"}, {"area", area}};
    const SimMim model(config, {.dtype = at::kDouble});
    stir(model.parameters());
    const Tensor batch = images(2).mul(0.5).add(0.5);  // 0..1: mean 0 and std 1
    const SimMim::Output out = model.forward(batch, masks(2), {});
    const Tensor wanted = model.target().of(batch), mask = expand_mask(masks(2), 8);
    double nats = 0, hits = 0, pixels = 0;  // of the second image
    for (int64_t y = 0; y < 8; ++y)
      for (int64_t x = 0; x < 8; ++x)
        for (int64_t c = 0; c < 3; ++c) {
          if (mask[1][y][x].item<int>() == 0) continue;
          const Tensor logits = out.prediction[1].slice(0, 5 * c, 5 * c + 5).select(2, x).select(1, y);
          const auto truth = wanted[1][c][y][x].item<int64_t>();
          nats += -logits.log_softmax(0)[truth].item<double>();
          hits += logits.argmax().item<int64_t>() == truth;
          ++pixels;
        }
    EXPECT_GT(pixels, 0);
    EXPECT_NEAR(out.image_nats[1].item<double>(), nats / pixels, 1e-5);
    EXPECT_NEAR(out.image_accuracy[1].item<double>(), hits / pixels, 1e-6);
    if (std::string(area) == "masked") {
      EXPECT_TRUE(out.image_loss.equal(out.image_nats));
    }
  }
}

TEST_P(Method, GradientIsTheSlopeOfTheLoss) {
  Json config = small_config(GetParam());
  config["loss"]["name"] = "l2";  // smooth, so that differences are sharp
  const SimMim model(config, {.dtype = at::kDouble});
  stir(model.parameters());
  const auto loss = [&] { return model.forward(images(2), masks(2), {.training = true}).loss; };
  loss().backward();
  const at::NoGradGuard no_grad;
  const double h = 1e-5;
  for (const auto& [name, parameter] : model.parameters()) {
    Tensor flat = Tensor(parameter).view({-1});
    for (const int64_t i : {int64_t{0}, flat.numel() / 2, flat.numel() - 1}) {
      const double value = flat[i].item<double>();
      flat[i].fill_(value + h);
      const double up = loss().item<double>();
      flat[i].fill_(value - h);
      const double down = loss().item<double>();
      flat[i].fill_(value);
      EXPECT_NEAR(parameter.grad().flatten()[i].item<double>(), (up - down) / (2 * h), 1e-8) << name << "[" << i << "]";
    }
  }
}

TEST_P(Method, AbsolutePositionsAreAddedToEveryTokenMaskedOrNot) {
  Json config = small_config(GetParam());
  const SimMim without(config, {.dtype = at::kDouble});
  config["encoder"]["absolute_position"] = true;
  const SimMim with(config, {.dtype = at::kDouble});
  EXPECT_EQ(with.parameters().size(), without.parameters().size() + 1);
  stir(without.parameters());
  for (const auto& [name, parameter] : without.parameters())
    for (const auto& [same, copy] : with.parameters())
      if (same == name) {
        const at::NoGradGuard no_grad;
        Tensor(copy).copy_(parameter);
      }
  const Tensor everything = at::ones({1, 4, 4}, at::kByte);
  const Tensor flat = without.forward(images(1), everything, {}).prediction;
  for (const auto& [name, parameter] : with.parameters())
    if (name.ends_with("pos_embed")) {
      const at::NoGradGuard no_grad;
      Tensor(parameter).zero_();
      EXPECT_TRUE(with.forward(images(1), everything, {}).prediction.equal(flat));
      stir({{name, parameter}});
      EXPECT_FALSE(with.forward(images(1), everything, {}).prediction.allclose(flat));
    }
}

TEST_P(Method, MaskedLossDoesNotDependOnHiddenOrTargetsOfVisiblePixels) {
  const SimMim model(small_config(GetParam()), {.dtype = at::kDouble});
  stir(model.parameters());
  const Tensor pixels = expand_mask(masks(2), 16).to(at::kBool).unsqueeze(1);  // (B,1,S,S), true = masked
  const SimMim::Output out = model.forward(images(2), masks(2), {});
  // What the encoder sees does not contain the hidden pixels ...
  const Tensor other = at::where(pixels, images(2) + 1, images(2));
  EXPECT_TRUE(model.forward(other, masks(2), {}).prediction.equal(out.prediction));
  // ... and the loss sees nothing but them.
  const Tensor each = (out.prediction - images(2)).abs() * pixels;
  const double wanted = each.sum().item<double>() / (masks(2).sum().item<double>() * 16 + 1e-5) / 3;
  EXPECT_NEAR(out.loss.item<double>(), wanted, 1e-7);
}

TEST_P(Method, LossOverAllPixelsIsTheMeanDifference) {
  Json config = small_config(GetParam());
  config["loss"]["area"] = "all";
  const SimMim model(config, {.dtype = at::kDouble});
  const SimMim::Output out = model.forward(images(2), masks(2), {});
  EXPECT_NEAR(out.loss.item<double>(), (out.prediction - images(2)).abs().mean().item<double>(), 1e-7);
  EXPECT_NEAR(model.forward(images(2), masks(2), {.training = true}).loss.item<double>(), out.loss.item<double>(),
              1e-12);
}

TEST_P(Method, PiecesOfABatchAddUpToItsLoss) {
  for (const char* area : {"masked", "all"}) {
    Json config = small_config(GetParam());
    config["loss"]["area"] = area;
    config["encoder"]["drop_path"] = 0.4;
    const SimMim model(config, {.dtype = at::kDouble});
    stir(model.parameters());
    const StepContext whole{.training = true, .seed = 1, .step = 5};
    const double loss = model.forward(images(5), masks(5), whole).loss.item<double>();
    double sum = 0;
    for (const auto& [first, count] : {std::pair{0, 2}, {2, 3}}) {
      StepContext piece = whole;
      piece.first = first;
      piece.batch_images = 5;
      piece.batch_masked = model.masked_pixels(masks(5));
      sum += model.forward(images(5).slice(0, first, first + count), masks(5).slice(0, first, first + count), piece)
                 .loss.item<double>();
    }
    EXPECT_NEAR(sum, loss, 1e-12);
  }
}

TEST_P(Method, LowerTargetResolutionsPredictTheMeansOfSquares) {
  Json config = small_config(GetParam());
  for (const int64_t resolution : {4, 8}) {
    config["target"]["resolution"] = resolution;
    const SimMim model(config, {.dtype = at::kDouble});
    const SimMim::Output out = model.forward(images(2), masks(2), {});
    EXPECT_EQ(out.prediction.sizes(), (at::IntArrayRef{2, 3, resolution, resolution}));
    EXPECT_NEAR(model.forward(images(2), masks(2), {.training = true}).loss.item<double>(), out.loss.item<double>(),
                1e-12);
  }
}

TEST_P(Method, MaskCellsSmallerThanFeatureCellsStillCountOnlyMaskedPixels) {
  Json config = small_config(GetParam());
  config["mask"]["patch"] = config["encoder"]["patch"];
  const SimMim model(config, {.dtype = at::kDouble});
  const int64_t n = model.mask_grid().h;
  Tensor mask = at::zeros({1, n, n}, at::kByte);
  mask[0][0][0].fill_(1);
  const SimMim::Output out = model.forward(images(1), mask, {.training = false});
  const int64_t side = 16 / n;
  const Tensor each = (out.prediction - images(1)).abs().slice(2, 0, side).slice(3, 0, side);
  EXPECT_NEAR(out.loss.item<double>(), each.mean().item<double>(), 1e-5);
  EXPECT_NEAR(model.forward(images(1), mask, {.training = true}).loss.item<double>(), out.loss.item<double>(), 1e-12);
}

// Mask cells of every size that fits, all of them hidden or none: the loss stays a number, and training's own path to
// it agrees.
TEST_P(Method, AnyMaskPatchAndAnyRatioGiveAFiniteLoss) {
  Json config = small_config(GetParam());
  const int64_t patch = config["encoder"]["patch"];
  for (const char* area : {"masked", "all"})
    for (int64_t mask_patch = patch; mask_patch <= 16; mask_patch *= 2)
      for (const int64_t resolution : {16, 8, 4}) {
        config["loss"]["area"] = area;
        config["mask"]["patch"] = mask_patch;
        config["target"]["resolution"] = resolution;
        const SimMim model(config, {.dtype = at::kDouble});
        const int64_t n = 16 / mask_patch;
        for (const Tensor& mask : {at::ones({2, n, n}, at::kByte), at::zeros({2, n, n}, at::kByte)}) {
          const SimMim::Output out = model.forward(images(2), mask, {});
          const Tensor trained = model.forward(images(2), mask, {.training = true}).loss;
          EXPECT_NEAR(trained.item<double>(), out.loss.item<double>(), 1e-12)
              << area << mask_patch << " " << resolution;
          trained.backward();
          for (const auto& [name, parameter] : model.parameters())
            EXPECT_TRUE(!parameter.grad().defined() || at::isfinite(parameter.grad()).all().item<bool>()) << name;
          const bool nothing = std::string(area) == "masked" && mask.sum().item<int64_t>() == 0;
          EXPECT_EQ(out.loss.item<double>() == 0, nothing);
          EXPECT_EQ(out.image_loss.sum().item<double>() == 0, nothing);
        }
      }
}

TEST_P(Method, TargetPixelsThatAreMaskedInPartCountAsAskedFor) {
  Json config = small_config(GetParam());
  config["mask"]["patch"] = config["encoder"]["patch"];
  config["target"]["resolution"] = 4;
  Tensor mask = at::zeros({2, 16 / config["mask"]["patch"].get<int64_t>(), 16 / config["mask"]["patch"].get<int64_t>()},
                          at::kByte);
  const bool swin = GetParam() == "swin";  // 4 mask cells a target pixel; ViT's are one and the same
  mask[0].slice(0, 0, 2).slice(1, 0, 3).fill_(1);
  mask[1][5 % mask.size(1)][0].fill_(1);
  const Tensor target = at::adaptive_avg_pool2d(images(2), {4, 4});
  const Tensor share = at::adaptive_avg_pool2d(mask.to(at::kDouble).unsqueeze(1), {4, 4});
  for (const char* partial : {"share", "any", "full"}) {
    config["loss"]["partial"] = partial;
    const SimMim model(config, {.dtype = at::kDouble});
    stir(model.parameters());
    const SimMim::Output out = model.forward(images(2), mask, {});
    const Tensor weight = partial == std::string("share") ? share
                          : partial == std::string("any") ? share.gt(0).to(at::kDouble)
                                                          : share.eq(1).to(at::kDouble);
    EXPECT_NEAR(model.masked_pixels(mask), weight.sum().item<double>(), 1e-12) << partial;
    const double wanted =
        ((out.prediction - target).abs() * weight).sum().item<double>() / (weight.sum().item<double>() + 1e-5) / 3;
    EXPECT_NEAR(out.loss.item<double>(), wanted, 1e-6) << partial;
    EXPECT_NEAR(model.forward(images(2), mask, {.training = true}).loss.item<double>(), wanted, 1e-6) << partial;
    if (swin) {
      EXPECT_EQ(share.eq(1).sum().item<int64_t>(), 1);
      EXPECT_EQ(share.gt(0).sum().item<int64_t>(), 3);
    }
  }
}

// What is visible may change what is predicted, but not what the prediction is compared with; a window and the
// convolutions of a tokenizer look further.
TEST_P(Method, TargetsOfMaskedCellsDoNotDependOnVisiblePixels) {
  for (const auto& [target, loss] : targets_with_losses()) {
    if (target["name"] == "dvae_tokens") continue;
    Json config = small_config(GetParam());
    config["target"] = target;
    config["loss"] = loss;
    const SimMim model(config, {.dtype = at::kDouble});
    fill_constants(model.target());
    const Tensor hidden = expand_mask(masks(2), 16).to(at::kBool).unsqueeze(1);
    const Tensor other = at::where(hidden, images(2), images(2).flip({2}));
    const Tensor counts = expand_mask(masks(2), model.target().resolution()).to(at::kBool).unsqueeze(1);
    EXPECT_TRUE(model.target().of(images(2)).mul(counts).equal(model.target().of(other).mul(counts))) << target.dump();
  }
}

TEST_P(Method, SameSeedGivesTheSameLossForEveryTarget) {
  for (const auto& [target, loss] : targets_with_losses()) {
    Json config = small_config(GetParam());
    config["target"] = target;
    config["loss"] = loss;
    const auto once = [&] {
      const SimMim model(config, {.seed = 3});
      fill_constants(model.target());
      const Tensor value = model.forward(images(2, at::kFloat), masks(2), {.training = true}).loss;
      value.backward();
      for (const auto& [name, parameter] : model.parameters())
        EXPECT_TRUE(at::isfinite(parameter.grad()).all().item<bool>()) << target.dump() << " " << name;
      return value.item<double>();
    };
    EXPECT_EQ(once(), once()) << target.dump();
  }
}

// Swin-B's strides at 192 pixels in small: every resolution of the paper's Table 3, with every head.
TEST(Resolutions, ThatDivideTheImageIntoWholeSquaresForEveryCellAllWork) {
  Json config = small_config("swin");
  config["data"]["image_size"] = 192;
  config["mask"]["patch"] = 32;
  config["encoder"] = {{"name", "swin"},        {"patch", 4}, {"dim", 4}, {"depths", {1, 1, 1, 1}},
                       {"heads", {1, 1, 1, 1}}, {"window", 6}};
  const Tensor image = (at::arange(3 * 192 * 192, at::kFloat) * 0.7).sin().view({1, 3, 192, 192});
  Tensor mask = at::zeros({1, 6, 6}, at::kByte);
  mask[0].slice(0, 0, 4).fill_(1);
  for (const auto& head : heads())
    for (const int64_t resolution : {6, 12, 24, 48, 96, 192}) {
      config["head"] = small_head(head.name);
      config["target"] = {{"name", "pixels"}, {"resolution", resolution}};
      const SimMim model(config, {});
      const SimMim::Output out = model.forward(image, mask, {});
      EXPECT_EQ(out.prediction.sizes(), (at::IntArrayRef{1, 3, resolution, resolution})) << head.name;
      EXPECT_EQ(model.head_channels(), 3 * (resolution / 6) * (resolution / 6)) << head.name;
      EXPECT_NEAR(model.forward(image, mask, {.training = true}).loss.item<double>(), out.loss.item<double>(), 1e-5)
          << head.name << " " << resolution;
    }
}

TEST(ExpandMask, AveragesGridsThatDoNotDivideEachOther) {
  Tensor mask = at::zeros({1, 8, 8}, at::kByte);
  mask[0].slice(0, 0, 2).fill_(1);  // the upper quarter
  const Tensor six = expand_mask(mask, 6);
  EXPECT_EQ(six[0][0][0].item<float>(), 1);
  EXPECT_NEAR(six[0][1][3].item<float>(), 0.5, 1e-6);
  EXPECT_EQ(six[0][2][5].item<float>(), 0);
}

TEST_P(Method, BfloatLossIsNearTheFloatLoss) {
  const SimMim exact(small_config(GetParam()), {}), fast(small_config(GetParam()), {.autocast = true});
  const Tensor batch = images(4, at::kFloat);
  const Tensor wanted = exact.forward(batch, masks(4), {.training = true}).loss;
  const Tensor got = fast.forward(batch, masks(4), {.training = true}).loss;
  EXPECT_EQ(got.scalar_type(), at::kFloat);
  EXPECT_NEAR(got.item<double>(), wanted.item<double>(), 1e-2);
  EXPECT_NE(got.item<double>(), wanted.item<double>());  // that it is bf16 at all
  got.backward();
  for (const auto& [name, parameter] : fast.parameters())
    EXPECT_TRUE(parameter.grad().defined() && at::isfinite(parameter.grad()).all().item<bool>()) << name;
}

TEST_P(Method, ProbesReadTheMeanOfThePatchTokensOfEveryBlock) {
  const Classifier model(small_config(GetParam()), 3, {.dtype = at::kDouble});
  const std::vector<Tensor> features = model.features(images(2));
  ASSERT_EQ(static_cast<int64_t>(features.size()), model.encoder().layers());
  for (const Tensor& layer : features) EXPECT_EQ(layer.size(0), 2);
  EXPECT_EQ(features.back().size(1), model.encoder().shape().channels);
  if (GetParam() == "vit") {  // no final norm in fine-tuning, so the last block's mean is what the head's norm sees
    EXPECT_TRUE(features.back().allclose(model.encoder().forward(images(2), {}, {}).mean({2, 3}), 0, 1e-12));
  }
}

TEST(Mask, ThatDoesNotFitIsRefusedWithTheSizesThatDo) {
  Json config = small_config("vit");
  for (const int64_t patch : {5, 6, 2, 0}) {
    config["mask"]["patch"] = patch;
    try {
      SimMim(config, {.device = at::kMeta});
      ADD_FAILURE() << patch;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("use 4, 8 or 16"), std::string::npos) << error.what();
    }
  }
}

TEST(CrossEntropy, SmoothsTowardsAllClasses) {
  const Tensor logits = at::arange(6, at::kDouble).sin().view({2, 3}), labels = at::tensor(at::ArrayRef<int64_t>{2, 0});
  Tensor targets = at::full({2, 3}, 0.1 / 3, at::kDouble);
  targets[0][2].fill_(0.9 + 0.1 / 3);
  targets[1][0].fill_(0.9 + 0.1 / 3);
  EXPECT_NEAR(cross_entropy(logits, labels, 0.1).item<double>(), soft_cross_entropy(logits, targets).item<double>(),
              1e-12);
}

}  // namespace
}  // namespace simmim
