// Parity with published code: what `simmim doctor parity` shows and the tests demand.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "core/json.h"
#include "parity/comparison.h"
#include "parity/golden_files.h"

namespace simmim {

// A part of the report, for each of its models and number types; tolerances are those of the golden files' README.md.
struct ParityPart {
  std::string name;
  std::vector<std::string> models;
  std::function<std::vector<Comparison>(const GoldenFiles&, const std::string& model, at::ScalarType)> compare;
};
const std::vector<ParityPart>& parity_parts();

inline constexpr at::ScalarType kParityTypes[] = {at::kDouble, at::kFloat};

// Losses, gradients, features and reconstructions of a pre-training model; logits of a classifier.
std::vector<Comparison> compare_pretraining(const GoldenFiles& golden, const std::string& model, at::ScalarType dtype);
std::vector<Comparison> compare_classifier(const GoldenFiles& golden, const std::string& model, at::ScalarType dtype);

// A tensor beside its official {"shape" (without the batch),"first4","last4","mean","l2"}, and logits beside the
// official ones, added to `comparison`.
void compare_tensor(Comparison& comparison, const Tensor& tensor, const Json& wanted, const std::string& at);
void compare_logits(Comparison& comparison, const Tensor& logits, const Json& wanted, const std::string& at);

// Thirty steps of training: "pretrain" (everything masked), "pretrain_fixed_masks" or "finetune".
std::vector<Comparison> compare_curve(const std::string& curve, const GoldenFiles& golden, const std::string& model,
                                      at::ScalarType dtype);

// Position tables and logits of a pre-trained model that is fine-tuned at another image size.
std::vector<Comparison> compare_resized(const GoldenFiles& golden, const std::string& model, at::ScalarType dtype);

// Swin V2 beside timm's: features, logits, loss and the gradient of every parameter.
std::vector<Comparison> compare_swinv2(const GoldenFiles& golden, const std::string& model, at::ScalarType dtype);

// Fine-tuning's augmentations beside timm's and Pillow's.
std::vector<Comparison> compare_augmentations(const GoldenFiles& golden, const std::string& model,
                                              at::ScalarType dtype);

// Every part, quantities of one name joined: [{"compared","model","precision","values","difference","allowed","worst",
// "ok"}]. on_part(done, parts) is called after each part.
Json compare_all(const GoldenFiles& golden, const std::function<void(size_t done, size_t parts)>& on_part);

}  // namespace simmim
