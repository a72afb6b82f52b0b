// From checkpoint files into the parameters of models.
#pragma once
#include <vector>

#include "layers/tensor_views.h"
#include "weights/adapt.h"

namespace simmim {

NamedTensors joined(NamedTensors tensors, const NamedTensors& more);

// Copies every view into the tensor of the same name, converting number types. Throws Code::data with `where` if a name
// or shape is not there.
void copy_into(const NamedTensors& tensors, const TensorFile& file);

// Fills a model's parameters from a checkpoint file of either kind (ours or the official .pth): position tables are
// resized, a pre-training file fits a classifier. Returns sentences for the log. See weights/adapt.h for `fresh` and
// `unused`.
std::vector<std::string> load_weights(const NamedTensors& parameters, const TensorFile& file,
                                      const std::vector<std::string>& fresh, const std::vector<std::string>& unused);

}  // namespace simmim
