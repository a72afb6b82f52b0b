// The options of `data train-dvae`. DALL-E's own values (Ramesh et al., 2021, appendix A.2) stand in the help where the
// defaults, for small images and a few thousand steps, differ.
#pragma once
#include "config/optimizer.h"
#include "data/augment.h"
#include "targets/dvae.h"

namespace simmim {

struct DvaeOptions : DvaeSizes, OptimizerOptions {
  int64_t steps = 3000, batch_size = 64;
  double lr = 2e-3, min_lr = 0;
  int64_t warmup_steps = 100;
  std::string loss = "l2";
  double kl_weight = 0.01;
  std::optional<int64_t> kl_steps, temperature_steps;
  double temperature = 1, last_temperature = 1.0 / 16;
  AugmentOptions augment{.crop_scale = {0.67, 1.0}, .interpolation = "bilinear"};

  DvaeOptions() { weight_decay = 1e-4, clip_norm = 1; }
  static void fields(auto& o, auto&& visit) {
    DvaeSizes::fields(o, visit);
    visit("steps", o.steps, "optimizer steps (DALL-E: 3000000)", FieldRule{.min = 1});
    visit("batch_size", o.batch_size, "images a step (DALL-E: 512)", FieldRule{.min = 1});
    visit("lr", o.lr, "peak learning rate, which falls by a cosine (DALL-E: 1e-4)", FieldRule{.min = 0});
    visit("min_lr", o.min_lr, "rate at the end (DALL-E: 1.25e-6)", FieldRule{.min = 0});
    visit("warmup_steps", o.warmup_steps, "steps of linear warm-up", FieldRule{.min = 0});
    OptimizerOptions::fields(o, visit);
    visit("loss", o.loss,
          "what an image's reconstruction costs: squares, absolute differences, or DALL-E's logit-Laplace "
          "likelihood, whose scale flat backgrounds drive to its floor",
          FieldRule{.choices = {"l2", "l1", "logit_laplace"}});
    visit("kl_weight", o.kl_weight,
          "weight of a token's divergence from the uniform distribution (nats) beside the summed loss of its pixels' "
          "colours; more keeps more tokens in use (DALL-E: 6.6, with logit_laplace)",
          FieldRule{.min = 0});
    visit("kl_steps", o.kl_steps, "steps in which kl_weight rises from 0; auto: a tenth of all (DALL-E: 5000)",
          FieldRule{.min = 0});
    visit("temperature", o.temperature, "Gumbel-softmax temperature at the start", FieldRule{.min = 0.01, .max = 100});
    visit("last_temperature", o.last_temperature, "and where its cosine ends", FieldRule{.min = 0.01, .max = 100});
    visit("temperature_steps", o.temperature_steps,
          "steps in which the temperature falls; auto: three quarters of all (DALL-E: 150000)", FieldRule{.min = 1});
    visit("augment", o.augment, "what is done to a training image");
  }
};

}  // namespace simmim
