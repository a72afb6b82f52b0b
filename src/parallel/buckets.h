// The gradients of a model in a few flat pieces of memory that are added up over the ranks while the backward pass
// still computes the rest. A gradient is a view into its bucket: nothing is copied.
#pragma once
#include "parallel/group.h"

namespace simmim {

class GradientBuckets {
 public:
  // Gives every parameter its gradient, before the optimizer sees it. Alone it does nothing. overlap=false: all sums
  // start after the backward pass (where parts of it run more than once).
  GradientBuckets(Group& group, const NamedTensors& parameters, bool overlap);
  ~GradientBuckets();
  GradientBuckets(const GradientBuckets&) = delete;

  // Before the last backward pass of a step. loss: this rank's share of it (0-d); it travels with the gradients.
  void expect(const Tensor& loss);
  // After it: the gradients are those of all ranks. Returns the whole loss (0-d).
  Tensor finish();

 private:
  struct Bucket {
    Tensor flat;
    int64_t parameters = 0, missing = 0;
  };
  struct Hook;
  void arrived(size_t bucket);
  void start_ready(bool all);

  Group& group_;
  bool overlap_, expecting_ = false;
  std::vector<Bucket> buckets_;
  size_t started_ = 0;  // buckets, in their order: the same on every rank
  Tensor loss_, loss_place_;
  std::vector<std::pair<std::shared_ptr<torch::autograd::Node>, uintptr_t>> hooks_;
};

}  // namespace simmim
