// What a configuration leaves open becomes a value, and what excludes one another is refused. Needs no data set, except
// to measure its normalisation.
#pragma once
#include <string>

#include "config/dvae.h"
#include "config/stages.h"
#include "core/files.h"
#include "data/options.h"

namespace simmim {

// "f32", "bf16" or "f64". stage: auto is bf16 for stages that train, where the device has it; others are never bf16.
std::string settle_precision(const std::string& precision, const std::string& stage, const std::string& device);

// The data block with the normalisation as numbers and the crop as used; `options` becomes what it says.
Json settle_data(const Json& block, const fs::path& site_data, DataOptions& options);

// Whether settled data are normalised as their data set is where nobody says anything.
bool has_usual_normalisation(const DataOptions& options);

// Exactly one of epochs and steps, of lr and base_lr; the rates become those that are used. given: the stage's block as
// it was read into `options`.
void settle_training(TrainOptions& options, const Json& given, const std::string& stage);

// Refuses augmentations out of range, a wrong number of betas, and an odd batch whose images are to be mixed in pairs
// (Code::usage).
void check_options(const PretrainOptions& options);
void check_options(const FinetuneOptions& options);
void check_options(const DvaeOptions& options);

// blocks: of the encoder; images: of the training split.
void check_options(const ProbeOptions& options, int64_t blocks, int64_t images);

}  // namespace simmim
