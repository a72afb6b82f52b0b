// What a checkpoint says of the model it holds, as the lowest layer of a configuration.
#pragma once
#include <string>
#include <vector>

#include "core/json.h"
#include "weights/tensor_file.h"

namespace simmim {

// file: of TensorFile::open_weights. {"encoder": {...}, "data": {"image_size", "mean", "std", ...}} and for
// pre-training files "mask", "head", "target", "loss": the stored configuration where the file is ours or an export of
// ours; else what the tensors' shapes say (patch, width, depths, heads, window, image size; the size rather from the
// config.json of transformers), with ImageNet's normalisation and the official mask patch of 32 where it fits.
// Code::data if it is no encoder that we know, or too little of one.
Json checkpoint_config(const TensorFile& file);

// The same from a run's resolved configuration.
Json inherited_config(const Json& stage_config);

// The names of a classifier's classes, as far as the file says them.
std::vector<std::string> checkpoint_classes(const TensorFile& file);

// Whether a name that is no file (yet) can only be meant as one: a run's id has neither a folder nor these suffixes.
bool names_checkpoint_file(const std::string& given);

// A folder that transformers wrote -> the model.safetensors in it; anything else as it is.
fs::path checkpoint_path(const fs::path& given);

}  // namespace simmim
