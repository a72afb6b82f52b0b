#include "parallel/buckets.h"

#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include <algorithm>

namespace simmim {
namespace {

constexpr int64_t kMostBytes = 25 << 20, kLeastBytes = 1 << 20;
constexpr int64_t kBuckets = 8;  // as many as that for a model of middle size
constexpr int64_t kAlign = 16;   // elements: a gradient begins on a cache line

int64_t padded(int64_t elements) { return (elements + kAlign - 1) / kAlign * kAlign; }

}  // namespace

// Called once a parameter has its whole gradient of a backward pass.
struct GradientBuckets::Hook : torch::autograd::FunctionPostHook {
  Hook(GradientBuckets& buckets, size_t bucket) : all(buckets), own(bucket) {}
  torch::autograd::variable_list operator()(const torch::autograd::variable_list& outputs,
                                            const torch::autograd::variable_list&) override {
    all.arrived(own);
    return outputs;
  }
  GradientBuckets& all;
  size_t own;
};

GradientBuckets::GradientBuckets(Group& group, const NamedTensors& parameters, bool overlap)
    : group_(group), overlap_(overlap) {
  if (!group_.many()) return;
  // The last parameters get their gradients first.
  const int64_t item = parameters.front().second.element_size();
  const int64_t most = std::clamp(count_elements(parameters) * item / kBuckets, kLeastBytes, kMostBytes) / item;
  std::vector<std::vector<Tensor>> members;
  int64_t elements = most;
  for (auto it = parameters.rbegin(); it != parameters.rend(); ++it) {
    const Tensor& parameter = it->second;
    if (elements + padded(parameter.numel()) > most) members.emplace_back(), elements = 0;
    members.back().push_back(parameter);
    elements += padded(parameter.numel());
  }
  for (size_t b = 0; b < members.size(); ++b) {
    int64_t size = b + 1 == members.size() ? kAlign : 0;  // the loss is the last bucket's last
    for (const Tensor& parameter : members[b]) size += padded(parameter.numel());
    Bucket& bucket = buckets_.emplace_back();
    bucket.flat = at::zeros({size}, parameters.front().second.options().requires_grad(false));
    bucket.parameters = static_cast<int64_t>(members[b].size());
    int64_t at = 0;
    for (const Tensor& parameter : members[b]) {
      parameter.mutable_grad() = bucket.flat.slice(0, at, at + parameter.numel()).view(parameter.sizes());
      at += padded(parameter.numel());
      if (!overlap_) continue;
      auto node = torch::autograd::impl::grad_accumulator(parameter);  // kept: the parameter holds it weakly
      const uintptr_t key = node->add_post_hook(std::make_unique<Hook>(*this, b));
      hooks_.emplace_back(std::move(node), key);
    }
    loss_place_ = bucket.flat[size - 1];
  }
}

GradientBuckets::~GradientBuckets() {
  for (const auto& [node, key] : hooks_) node->del_post_hook(key);
}

void GradientBuckets::expect(const Tensor& loss) {
  loss_ = loss;
  if (!group_.many()) return;
  const at::NoGradGuard no_grad;
  loss_place_.copy_(loss);
  for (Bucket& bucket : buckets_) bucket.missing = bucket.parameters;
  started_ = 0;
  expecting_ = true;
}

void GradientBuckets::arrived(size_t bucket) {
  if (!expecting_) return;
  --buckets_[bucket].missing;
  start_ready(false);
}

void GradientBuckets::start_ready(bool all) {
  for (; started_ < buckets_.size() && (all || buckets_[started_].missing == 0); ++started_)
    group_.start_sum(buckets_[started_].flat);
}

Tensor GradientBuckets::finish() {
  if (!group_.many()) return loss_;
  expecting_ = false;
  start_ready(true);  // parameters that had no part in this step send no word
  group_.wait();
  return loss_place_.clone();
}

}  // namespace simmim
