#include "train/bench.h"

#include <algorithm>
#include <functional>
#include <map>

#include "config/plan.h"
#include "config/resolve.h"
#include "kernels/device.h"
#include "model/classifier.h"
#include "model/simmim.h"
#include "train/stages.h"

namespace simmim {
namespace {

constexpr double kSeconds = 4;  // of measuring
constexpr int64_t kWarmupSteps = 3, kMinSteps = 5, kMaxSteps = 200, kClasses = 1000;
constexpr int64_t kGemmSide = 2048;
constexpr int64_t kFewRows = 32;
constexpr double kProductSeconds = 0.2;  // for measuring a product

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct ProductShape {
  int64_t rows, in, out;
};

// GFLOP/s of a matrix product (rows,in) x (in,out), the best of a few; of one alone where that takes long.
double product_rate(at::ScalarType dtype, at::Device device, const ProductShape& shape) {
  const at::TensorOptions options = at::TensorOptions(dtype).device(device);
  const Tensor a = at::ones({shape.rows, shape.in}, options), b = at::ones({shape.in, shape.out}, options);
  double best = 1e30;
  const StopWatch all;
  for (int i = 0; i < 6 && (i == 0 || all.seconds() < kProductSeconds); ++i) {
    synchronize(device);
    const StopWatch watch;
    const Tensor c = at::mm(a, b);
    synchronize(device);
    best = std::min(best, watch.seconds());
  }
  return 2e-9 * static_cast<double>(shape.rows * shape.in * shape.out) / best;
}

// GFLOP/s of a product as a stage's MLPs have it, in its number type; measured once a process. A few rows come first:
// where a type has no arithmetic here (bf16 on an older CPU) they tell enough, and all of them would take seconds.
double mlp_rate(const Json& config, const ModelContext& on) {
  static std::map<std::string, double> measured;
  const at::ScalarType dtype = on.autocast ? at::kBFloat16 : on.dtype;
  const Json& encoder = config.at("encoder");
  const int64_t D = encoder.at("dim").get<int64_t>() * (encoder.contains("depths") ? 2 : 1);  // of a middle stage
  const int64_t rows = on.device.is_cpu() ? std::clamp<int64_t>(250'000'000 / (D * D), 256, 4096) : 32768;
  double& rate = measured[fmt::format("{} {} {}", on.device.str(), at::toString(dtype), D)];
  if (rate > 0) return rate;
  rate = product_rate(dtype, on.device, {std::min(kFewRows, rows), D, 4 * D});
  const double whole_seconds = 8e-9 * static_cast<double>(rows * D * D) / rate;
  if (whole_seconds < kProductSeconds) rate = product_rate(dtype, on.device, {rows, D, 4 * D});
  return rate;
}

// The share of that rate which whole steps reach: not calibrated yet (`simmim bench step` prints "share_of_products").
constexpr double kUsualShare = 0.6;

struct Work {
  int64_t parameters = 0;
  double flops = 0;  // of one image forward
  std::function<Tensor(int64_t step)> loss;
  std::vector<ParameterGroup> groups;
};

}  // namespace

double expected_gflops(const Json& config) {
  const ModelContext on = planned_context(config);
  if (on.device.is_cuda() && !on.device.has_index()) return 0;
  return kUsualShare * mlp_rate(config, on);
}

Json bench_step(const Json& config) {
  const std::string stage = config.at("stage");
  const StageSetup setup = make_setup(config, {}, /*needs_data=*/false);
  const bool pretraining = stage == "pretrain";
  const auto pretrain_options = pretraining ? options_of<PretrainOptions>(config, stage) : PretrainOptions{};
  const auto finetune_options = pretraining ? FinetuneOptions{} : options_of<FinetuneOptions>(config, stage);
  const TrainOptions& options = pretraining ? static_cast<const TrainOptions&>(pretrain_options) : finetune_options;
  const int64_t B = options.batch_size, S = setup.data.image_size;

  Rng rng(setup.seed, "bench pixels");
  std::vector<uint8_t> pixels(static_cast<size_t>(B * 3 * S * S));
  for (uint8_t& pixel : pixels) pixel = static_cast<uint8_t>(rng.next_u32());
  std::vector<int64_t> indices(static_cast<size_t>(B));
  std::iota(indices.begin(), indices.end(), int64_t{0});
  const Tensor labels = at::arange(B, at::kLong).remainder(kClasses).to(setup.context.device);

  Work work;
  std::unique_ptr<SimMim> model;
  std::unique_ptr<MaskGenerator> masks;
  std::unique_ptr<Classifier> classifier;
  if (pretraining) {
    model = std::make_unique<SimMim>(config, setup.context);
    masks = make_masks(config);
    work = {count_elements(model->parameters()), model->flops(),
            [&](int64_t step) {
              const Tensor mask = training_masks(*masks, setup.seed, step, indices);
              return model
                  ->forward(setup.normalise(pixels, 0, B), mask,
                            StepContext{.training = true, .seed = setup.seed, .step = step})
                  .loss;
            },
            parameter_groups(*model, options.weight_decay, 1)};
  } else {
    classifier = std::make_unique<Classifier>(config, kClasses, setup.context);
    work = {count_elements(classifier->parameters()), classifier->flops(),
            [&](int64_t step) {
              const StepContext context{.training = true, .seed = setup.seed, .step = step};
              return cross_entropy(classifier->logits(setup.normalise(pixels, 0, B), context), labels,
                                   finetune_options.label_smoothing);
            },
            parameter_groups(*classifier, options.weight_decay, finetune_options.layer_decay)};
  }
  AdamW optimizer(work.groups, options);
  const Schedule schedule{.kind = "constant", .peak = 1e-5};

  std::vector<double> seconds;
  const StopWatch total;
  for (int64_t step = 0; step < kWarmupSteps + kMaxSteps; ++step) {
    if (step >= kWarmupSteps + kMinSteps && total.seconds() > kSeconds) break;
    const StopWatch watch;
    optimizer.zero_grad();
    const Tensor loss = work.loss(step);
    loss.backward();
    optimizer.step(schedule, step, loss);
    synchronize(setup.context.device);
    if (step >= kWarmupSteps) seconds.push_back(watch.seconds());
  }
  const int64_t memory = peak_memory_bytes(setup.context.device);  // before the large product
  const double typical = median(seconds),
               rate = step_passes(config) * work.flops * static_cast<double>(B) / typical * 1e-9;
  const double peak = product_rate(setup.context.autocast ? at::kBFloat16 : setup.context.dtype, setup.context.device,
                                   {kGemmSide, kGemmSide, kGemmSide});
  return {{"images_per_second", static_cast<double>(B) / typical},
          {"step_seconds",
           {{"median", typical},
            {"min", *std::min_element(seconds.begin(), seconds.end())},
            {"max", *std::max_element(seconds.begin(), seconds.end())}}},
          {"gflops", rate},
          {"peak_gflops", peak},
          {"share_of_peak", rate / peak},
          {"share_of_products", rate / mlp_rate(config, setup.context)},
          {"memory", memory},
          {"steps", seconds.size()},
          {"batch_size", B},
          {"threads", at::get_num_threads()},
          {"precision", config.at("precision")},
          {"device", device_info(setup.context.device).name},
          {"parameters", work.parameters}};
}

}  // namespace simmim
