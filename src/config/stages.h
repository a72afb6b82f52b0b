// The options of the three stages. What pre-training and fine-tuning share stands once, in TrainOptions; the defaults
// suit the small default encoder, the recipes in sweeps/recipes/ hold the official ones.
#pragma once
#include "config/optimizer.h"
#include "data/augment.h"
#include "data/perturb.h"

namespace simmim {

// Optimisation: rates, warm-up, accumulation; and what a run logs and saves.
struct TrainOptions : OptimizerOptions {
  std::optional<int64_t> epochs, steps;
  int64_t batch_size = 128;
  std::optional<int64_t> accumulate;
  std::optional<double> lr, base_lr;
  int64_t lr_per = 512;
  double warmup_epochs = 1;
  double warmup_lr = 0, min_lr = 0;
  std::string schedule = "cosine";
  std::vector<double> milestones = {};
  double gamma = 0.1;
  int64_t max_skipped_steps = 10;
  int64_t log_steps = 10;
  double save_minutes = 5;
  int64_t save_steps = 0;
  int64_t keep_epochs = 0;

  static void fields(auto& o, auto&& visit) {
    visit("epochs", o.epochs, "passes over the training images (give epochs or steps)", FieldRule{.min = 1});
    visit("steps", o.steps, "optimizer steps in all, instead of epochs", FieldRule{.min = 1});
    visit("batch_size", o.batch_size, "images an optimizer step, over all pieces and processes", FieldRule{.min = 1});
    visit("accumulate", o.accumulate,
          "pieces that a batch is computed in, one after another, to save memory; auto: as few as fit",
          FieldRule{.min = 1, .in_id = false});
    visit("lr", o.lr, "peak learning rate as used (give lr or base_lr)", FieldRule{.min = 0});
    visit("base_lr", o.base_lr, "peak learning rate for lr_per images; lr = base_lr x batch_size / lr_per",
          FieldRule{.min = 0});
    visit("lr_per", o.lr_per, "images that base_lr is stated for (official: 512)", FieldRule{.min = 1});
    visit("warmup_epochs", o.warmup_epochs,
          "epochs of linear warm-up; not given: a tenth of a run of one epoch or less", FieldRule{.min = 0});
    visit("warmup_lr", o.warmup_lr, "rate at step 0, for every parameter group; scaled like the peak",
          FieldRule{.min = 0});
    visit("min_lr", o.min_lr, "rate at the end of the cosine, for every parameter group; scaled like the peak",
          FieldRule{.min = 0});
    visit("schedule", o.schedule, "how the rate falls after the warm-up",
          FieldRule{.choices = {"cosine", "multi_step", "constant"}});
    visit("milestones", o.milestones, "multi_step: epochs at which the rate is multiplied by gamma",
          FieldRule{.min = 0});
    visit("gamma", o.gamma, "multi_step: the factor", FieldRule{.min = 0, .max = 1});
    OptimizerOptions::fields(o, visit);
    visit("max_skipped_steps", o.max_skipped_steps, "stop after so many non-finite steps in a row",
          FieldRule{.min = 1, .in_id = false});
    visit("log_steps", o.log_steps, "steps between two lines of the journal", FieldRule{.min = 1, .in_id = false});
    visit("save_minutes", o.save_minutes, "minutes between two checkpoints; 0: at the end of epochs only",
          FieldRule{.min = 0, .in_id = false});
    visit("save_steps", o.save_steps, "steps between two checkpoints; 0: off", FieldRule{.min = 0, .in_id = false});
    visit("keep_epochs", o.keep_epochs, "keep the weights of every so many epochs (RUN@EPOCH); 0: off",
          FieldRule{.min = 0, .in_id = false});
  }
};

// Official: RandomResizedCrop(0.67..1), flip (data_simmim.py:48-56).
struct PretrainOptions : TrainOptions {
  AugmentOptions augment{.crop_scale = {0.67, 1.0}, .interpolation = "bilinear"};
  int64_t val_epochs = 1;

  PretrainOptions() { epochs = 10; }
  static void fields(auto& o, auto&& visit) {
    TrainOptions::fields(o, visit);
    visit("augment", o.augment, "what is done to a training image");
    visit("val_epochs", o.val_epochs, "epochs between two validation losses (masks fixed by data.split_seed); 0: never",
          FieldRule{.min = 0});
  }
};

// Official: data_finetune.py:80-90, timm's create_transform; randaugment=rand-m9-mstd0.5-inc1 and erasing=0.25 there.
struct FinetuneAugment : AugmentOptions, PerturbOptions {
  FinetuneAugment() { crop_scale = {0.08, 1.0}, interpolation = "bicubic"; }
  static void fields(auto& o, auto&& visit) {
    AugmentOptions::fields(o, visit);
    PerturbOptions::fields(o, visit);
  }
};

// Official: main_finetune.py; 100 epochs, 20 of warm-up, layer decay by encoder (facts per recipe).
struct FinetuneOptions : TrainOptions {
  std::string from = "pretrain";
  FinetuneAugment augment;
  double layer_decay = 0.75;
  double drop_path = 0.1;
  double label_smoothing = 0.1;
  double mixup = 0, cutmix = 0, mix_prob = 1, mix_switch = 0.5;
  double ema = 0;
  std::optional<int64_t> limit_labels;
  std::string select = "last";
  int64_t eval_epochs = 1;
  std::optional<int64_t> seed;

  FinetuneOptions() { epochs = 20; }
  static void fields(auto& o, auto&& visit) {
    visit("from", o.from,
          "where the weights come from: pretrain (this chain's run), scratch, a file, RUN or RUN@EPOCH");
    TrainOptions::fields(o, visit);
    visit("augment", o.augment, "what is done to a training image");
    visit("layer_decay", o.layer_decay, "rate of a layer = rate x layer_decay^(layers above it); 1: equal",
          FieldRule{.min = 0.01, .max = 1});
    visit("drop_path", o.drop_path, "stochastic depth, rising linearly to this rate", FieldRule{.min = 0, .max = 0.99});
    visit("label_smoothing", o.label_smoothing, "share of the label spread over all classes",
          FieldRule{.min = 0, .max = 0.99});
    visit("mixup", o.mixup,
          "alpha of mixup: a batch and its reverse are added with weights from Beta(alpha, alpha); 0: off "
          "(official: 0.8); needs an even batch",
          FieldRule{.min = 0});
    visit("cutmix", o.cutmix,
          "alpha of CutMix: a rectangle comes from the reversed batch, its share from Beta(alpha, alpha); 0: off "
          "(official: 1); needs an even batch",
          FieldRule{.min = 0});
    visit("mix_prob", o.mix_prob, "probability that a batch is mixed", FieldRule{.min = 0, .max = 1});
    visit("mix_switch", o.mix_switch, "where both are on: probability of CutMix, else mixup",
          FieldRule{.min = 0, .max = 1});
    visit("ema", o.ema,
          "decay a step of a running average of the weights; evaluation, kept epochs and final.safetensors then hold "
          "the average; 0: off",
          FieldRule{.min = 0, .max = 0.9999999});
    visit("limit_labels", o.limit_labels,
          "use so many labelled training images, balanced over classes, drawn by the seed; auto: all",
          FieldRule{.min = 1});
    visit("select", o.select, "which epoch counts: last, or best by validation",
          FieldRule{.choices = {"last", "best"}});
    visit("eval_epochs", o.eval_epochs, "epochs between two validations; 0: at the end only", FieldRule{.min = 0});
    visit("seed", o.seed, "seed of this stage; auto: the run's seed");
  }
};

// Frozen features. linear: one classifier a block and rate, trained together, the best by validation. knn: cosine
// similarity, votes weighted by exp(similarity / temperature) (Wu et al., 2018).
struct ProbeOptions {
  std::string from = "pretrain";
  std::string name = "linear";
  Json layer = "all";
  std::vector<double> lr = {1e-3, 4e-3, 1.6e-2};
  int64_t epochs = 30;
  int64_t batch_size = 256;
  double weight_decay = 1e-4;
  int64_t neighbours = 20;
  double temperature = 0.07;
  std::optional<int64_t> limit_labels;
  std::optional<int64_t> seed;

  static void fields(auto& o, auto&& visit) {
    visit("from", o.from, "where the weights come from: pretrain (this chain's run), a file, RUN or RUN@EPOCH");
    visit("name", o.name, "the probe", FieldRule{.choices = {"linear", "knn"}});
    visit("layer", o.layer, "whose block's features: all (linear: best by validation), last, or a block number from 1");
    visit("lr", o.lr, "linear: learning rates to try", FieldRule{.min = 0});
    visit("epochs", o.epochs, "linear: passes over the features", FieldRule{.min = 1});
    visit("batch_size", o.batch_size, "linear: images a step", FieldRule{.min = 1});
    visit("weight_decay", o.weight_decay, "linear: AdamW's weight decay", FieldRule{.min = 0});
    visit("neighbours", o.neighbours, "knn: how many neighbours vote", FieldRule{.min = 1});
    visit("temperature", o.temperature, "knn: sharpness of the votes", FieldRule{.min = 1e-3});
    visit("limit_labels", o.limit_labels, "use so many labelled training images, balanced over classes; auto: all",
          FieldRule{.min = 1});
    visit("seed", o.seed, "seed of this stage; auto: the run's seed");
  }
};

}  // namespace simmim
