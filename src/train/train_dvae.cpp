#include "train/train_dvae.h"

#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <numbers>

#include "core/error.h"
#include "train/optimizer.h"
#include "train/stages.h"
#include "train/tensors.h"

namespace simmim {
namespace {

constexpr double kLeastLogScale = -5;  // of logit_laplace: an exactly constant colour would drive it to -infinity

// (B,3,S,S) bytes -> [0,1]
Tensor pixels_of(const Batch& batch, const StageSetup& setup) {
  const int64_t S = setup.data.image_size;
  const Tensor bytes = at::from_blob(const_cast<uint8_t*>(batch.pixels.data()), {batch.size(), 3, S, S}, at::kByte);
  return bytes.to(setup.context.device).to(setup.context.dtype).div_(255);
}

// Gumbel noise of the shape of `logits`, from (seed, step, image) alone.
Tensor gumbel(const Tensor& logits, uint64_t seed, int64_t step) {
  const int64_t B = logits.size(0), each = logits.numel() / B;
  Tensor uniform = at::empty(logits.sizes(), at::kFloat);
  float* values = uniform.data_ptr<float>();
  at::parallel_for(0, B, 1, [&](int64_t begin, int64_t end) {
    for (int64_t image = begin; image < end; ++image) {
      Rng rng(seed, "gumbel", static_cast<uint64_t>(step), static_cast<uint64_t>(image));
      for (int64_t i = 0; i < each; ++i)  // 23 bits and a half, which a float holds: neither 0 nor 1
        values[image * each + i] = (static_cast<float>(rng.next_u32() >> 9) + 0.5f) * 0x1p-23f;
    }
  });
  return uniform.log_().neg_().log_().neg_().to(logits.options());
}

// Mean over all colour values of what it costs that `decoded` (B,6,S,S) stands for `pixels` (B,3,S,S).
Tensor reconstruction_loss(const std::string& kind, const Tensor& decoded, const Tensor& pixels) {
  if (kind == "l1") return at::l1_loss(unmap_pixels(decoded), pixels);
  if (kind == "l2") return at::mse_loss(unmap_pixels(decoded), pixels);
  // Minus the logarithm of exp(-|logit(x) - mu| / b) / (2 b x (1 - x)) (Ramesh et al., appendix A.3)
  const Tensor x = map_pixels(pixels), log_scale = at::clamp_min(decoded.slice(1, 3, 6), kLeastLogScale);
  const Tensor distance = (x.logit() - decoded.slice(1, 0, 3)).abs();
  return (distance * (-log_scale).exp() + log_scale + (x * (1 - x) * 2).log()).mean();
}

double ramp(int64_t step, int64_t steps) {
  return steps == 0 ? 1 : std::min(1.0, static_cast<double>(step) / static_cast<double>(steps));
}

class DvaeTraining {
 public:
  DvaeTraining(const StageSetup& setup, const DvaeOptions& options, fs::path output, const EventSink& sink)
      : setup_(setup),
        options_(options),
        output_(std::move(output)),
        partial_(output_.string() + ".partial"),
        sink_(sink),
        dvae_(options, Dvae::Parts::both, setup.context),
        optimizer_({{1, options.weight_decay, dvae_.parameters}}, options),
        loader_(*setup.dataset, setup.training(options.batch_size, options.augment)) {
    Json config = {{"stage", "dvae"}, {"seed", setup.seed}, {"data", write_fields(setup.data)}};
    config["dvae"] = write_fields(options);
    description_ = describe_weights(config);
  }

  Json run() {
    const fs::path folder = fs::absolute(output_).parent_path();  // told now, not after the training
    if (::access(folder.c_str(), W_OK) != 0)
      fail(Code::data, "-o {}: cannot write into {}: {}; name another folder", output_.string(), folder.string(),
           std::strerror(errno));
    if (setup_.data.image_size % options_.stride() != 0)
      fail(Code::usage,
           "data.image_size: {} is no multiple of the {} pixels a side that a token stands for; set dvae.groups",
           setup_.data.image_size, options_.stride());
    resume();
    const int64_t per_epoch = loader_.steps_per_epoch();
    loader_.seek(step_ / per_epoch, step_ % per_epoch);
    const int64_t first = step_;
    while (step_ < options_.steps) {
      const double loss = train_step(*loader_.next());
      const double rate = watch_.seconds() / static_cast<double>(step_ - first);
      sink_({{"event", "progress"},
             {"step", step_},
             {"steps", options_.steps},
             {"loss", loss},
             {"images_per_second", static_cast<double>(options_.batch_size) / rate},
             {"seconds_left", rate * static_cast<double>(options_.steps - step_)}});
      if (step_ % per_epoch == 0 && step_ < options_.steps) end_epoch(step_ / per_epoch);
      if (step_ < options_.steps && interrupt_requested()) return stop();
    }
    return finish();
  }

 private:
  // One step of the evidence lower bound on a relaxed sample of each token; returns its loss.
  double train_step(const Batch& batch) {
    const Tensor pixels = pixels_of(batch, setup_);
    optimizer_.zero_grad();
    const Tensor log_q = at::log_softmax((*dvae_.encoder)(pixels), 1);  // (B,V,h,w)
    const double falling =
        (1 + std::cos(std::numbers::pi * ramp(step_, options_.temperature_steps.value_or(options_.steps * 3 / 4)))) / 2;
    const double temperature = options_.last_temperature + (options_.temperature - options_.last_temperature) * falling;
    const Tensor shares = at::softmax((log_q + gumbel(log_q, setup_.seed, step_)) / temperature, 1);
    const Tensor divergence = (log_q.exp() * log_q).sum(1).mean() + std::log(static_cast<double>(options_.vocabulary));
    const double values = static_cast<double>(3 * options_.stride() * options_.stride());  // that a token stands for
    const double weight = options_.kl_weight * ramp(step_, options_.kl_steps.value_or(options_.steps / 10)) / values;
    const Tensor loss = reconstruction_loss(options_.loss, (*dvae_.decoder)(shares), pixels) + divergence * weight;
    loss.backward();
    optimizer_.step(schedule(), step_, loss);
    ++step_;
    const double number = loss.item<double>();
    if (!std::isfinite(number))
      fail(Code::run_failed, "step {}: the loss is not finite; try a lower dvae.lr, or dvae.loss=l2", step_);
    epoch_loss_ += number;
    ++epoch_steps_;
    return number;
  }

  Schedule schedule() const {
    return {.kind = "cosine",
            .peak = options_.lr,
            .min_lr = options_.min_lr,
            .warmup_steps = options_.warmup_steps,
            .steps = options_.steps};
  }

  Split judged() const { return setup_.dataset->has(Split::val) ? Split::val : Split::train; }

  Json end_epoch(int64_t epoch) {
    const Json measures = reconstruct_by_tokens(dvae_, setup_, judged(), options_.batch_size).to_json();
    Json event = {{"event", "epoch"},
                  {"epoch", epoch},
                  {"train_loss", epoch_loss_ / static_cast<double>(std::max<int64_t>(1, epoch_steps_))}};
    event.update(measures);
    sink_(event);
    epoch_loss_ = 0;
    epoch_steps_ = 0;
    return measures;
  }

  NamedTensors everything() const {
    NamedTensors all = dvae_.parameters;
    const NamedTensors state = optimizer_.state();
    all.insert(all.end(), state.begin(), state.end());
    return all;
  }

  Json stop() {
    Metadata metadata = description_;
    metadata["step"] = std::to_string(step_);
    save_weights(partial_, everything(), metadata);
    sink_({{"event", "message"},
           {"text",
            fmt::format("stopped after step {} of {}; {} keeps them", step_, options_.steps, partial_.string())}});
    return {{"state", "interrupted"}, {"step", step_}, {"steps", options_.steps}};
  }

  void resume() {
    std::error_code ignored;
    if (!fs::exists(partial_, ignored)) return;
    const TensorFile file = TensorFile::open(partial_);
    const auto config = file.metadata().find("config");
    if (config == file.metadata().end() || config->second != description_.at("config")) return;
    copy_into(everything(), file);
    step_ = std::stoll(file.metadata().at("step"));
    sink_({{"event", "message"}, {"text", fmt::format("going on from step {} of {}", step_, options_.steps)}});
  }

  Json finish() {
    const int64_t S = setup_.data.image_size, side = S / options_.stride();
    const Json measures = end_epoch((step_ + loader_.steps_per_epoch() - 1) / loader_.steps_per_epoch());
    save_weights(output_, dvae_.parameters, description_);
    std::error_code ignored;
    fs::remove(partial_, ignored);
    Json out = {{"state", "done"},
                {"output", output_.string()},
                {"parameters", count_elements(dvae_.parameters)},
                {"stride", options_.stride()},
                {"tokens", fmt::format("{} x {} an image of {}", side, side, S)},
                {"vocabulary", options_.vocabulary},
                {"steps", step_},
                {"seconds", watch_.seconds()},
                {"split", split_name(judged())}};
    out.update(measures);
    return out;
  }

  const StageSetup& setup_;
  const DvaeOptions& options_;
  fs::path output_, partial_;
  const EventSink& sink_;
  Dvae dvae_;
  AdamW optimizer_;
  Loader loader_;
  Metadata description_;
  StopWatch watch_;
  int64_t step_ = 0, epoch_steps_ = 0;
  double epoch_loss_ = 0;
};

}  // namespace

Json train_dvae(const StageSetup& setup, const DvaeOptions& options, const fs::path& output, const EventSink& sink) {
  return DvaeTraining(setup, options, output, sink).run();
}

Json Reconstruction::to_json() const {
  return {{"images", images}, {"rmse", rmse}, {"mae", mae}, {"tokens_used", tokens_used}, {"perplexity", perplexity}};
}

Reconstruction reconstruct_by_tokens(const Dvae& dvae, const StageSetup& setup, Split split, int64_t batch_size) {
  const at::NoGradGuard no_grad;
  Reconstruction out;
  Tensor uses = at::zeros({dvae.sizes.vocabulary}, at::kDouble);
  double squares = 0, differences = 0;
  Loader loader(*setup.dataset, setup.evaluation(split, batch_size));
  while (const Batch* batch = loader.next()) {
    const Tensor pixels = pixels_of(*batch, setup), tokens = (*dvae.encoder)(pixels).argmax(1);
    const Tensor difference = (dvae.decoder->pixels(tokens) - pixels).to(at::kDouble);
    squares += difference.square().sum().item<double>();
    differences += difference.abs().sum().item<double>();
    uses += tokens.flatten().to(at::kCPU).bincount({}, dvae.sizes.vocabulary);
    out.images += batch->size();
  }
  const auto values = static_cast<double>(out.images * 3 * setup.data.image_size * setup.data.image_size);
  out.rmse = std::sqrt(squares / values);
  out.mae = differences / values;
  out.tokens_used = uses.gt(0).sum().item<int64_t>();
  const Tensor share = uses / uses.sum();
  out.perplexity = std::exp(-(share * at::clamp_min(share, 1e-300).log()).sum().item<double>());
  return out;
}

}  // namespace simmim
