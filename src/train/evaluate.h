// Accuracy of a classifier on a split, image by image.
#pragma once
#include <vector>

#include "core/json.h"
#include "model/classifier.h"
#include "train/stage.h"

namespace simmim {

struct Evaluation {
  std::vector<int64_t> indices, labels, predictions;
  std::vector<float> probabilities;  // of the true class
  int64_t in_top5 = 0;
  double loss_sum = 0;  // cross entropy without smoothing

  int64_t images() const { return static_cast<int64_t>(labels.size()); }
  double top1() const;  // in percent
  double top5() const;
  double loss() const { return loss_sum / static_cast<double>(images()); }

  void add(const Batch& batch, const Tensor& logits);
  // {"top1","top5","loss","images","confusion":[[true class][predicted]],"classes":[{"name","images","top1"}]}
  Json to_json(const std::vector<std::string>& class_names) const;
  // index, label, prediction (I64) and probability (F32) of every image.
  void save(const fs::path& path) const;
};

Evaluation evaluate(const Classifier& model, const StageSetup& setup, Split split, int64_t batch_size);

}  // namespace simmim
