// From checkpoint files into the parameters of models.
#pragma once
#include <vector>

#include "layers/tensor_views.h"

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

// What a classifier has of its own, and what it does not take: decoder, mask token, ViT's final norm, BEiT's lm_head, the
// target's constants.
extern const std::vector<std::string> kFreshInClassifier;
extern const std::vector<std::string> kUnusedByClassifier;

// The same of pre-training: it may start from features alone.
extern const std::vector<std::string> kFreshInPretraining;
extern const std::vector<std::string> kUnusedByPretraining;

}  // namespace simmim
