// What a checkpoint says of the model it holds, as the lowest layer of a configuration.
#pragma once
#include "core/json.h"
#include "weights/tensor_file.h"

namespace simmim {

// {"encoder": {...}, "data": {"image_size", "mean", "std", ...}} and for pre-training files "mask", "head", "target",
// "loss": of our files the stored configuration; of official ones what the tensors' shapes say (patch, width, depths,
// heads, window, image size), with ImageNet's normalisation and the official mask patch of 32.
// Code::data if it is no encoder that we know.
Json checkpoint_config(const TensorFile& file);

// The same from a run's resolved configuration.
Json inherited_config(const Json& stage_config);

}  // namespace simmim
