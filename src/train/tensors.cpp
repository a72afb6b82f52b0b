#include "train/tensors.h"

#include "core/error.h"

namespace simmim {

NamedTensors joined(NamedTensors tensors, const NamedTensors& more) {
  tensors.insert(tensors.end(), more.begin(), more.end());
  return tensors;
}

void copy_into(const NamedTensors& tensors, const TensorFile& file) {
  const at::NoGradGuard no_grad;
  for (const auto& [name, tensor] : tensors) {
    const TensorView* view = file.find(name);
    if (view == nullptr || view->shape != tensor.sizes().vec())
      fail(Code::data,
           "{}: {} of shape {} is not in this checkpoint; it belongs to another run or version, start afresh with "
           "--fresh",
           file.path().string(), name, shape_text(tensor.sizes().vec()));
    tensor.detach().copy_(borrow_tensor(*view));
  }
}

std::vector<std::string> load_weights(const NamedTensors& parameters, const TensorFile& file,
                                      const std::vector<std::string>& fresh, const std::vector<std::string>& unused) {
  const at::NoGradGuard no_grad;
  std::vector<Wanted> wanted;
  for (const auto& [name, parameter] : parameters) wanted.push_back({name, parameter.sizes().vec()});
  const Adapted adapted = adapt(file.tensors(), wanted);
  require_complete(adapted, file.path().string(), fresh, unused);
  size_t next = 0;  // adapted.tensors keeps the wanted order
  for (const auto& [name, parameter] : parameters)
    if (next < adapted.tensors.size() && adapted.tensors[next].first == name)
      parameter.detach().copy_(borrow_tensor(adapted.tensors[next++].second));
  std::vector<std::string> notes = adapted.notes;
  if (!adapted.resized.empty())
    notes.push_back(fmt::format("{}: {} position tables resized", file.path().string(), adapted.resized.size()));
  return notes;
}

}  // namespace simmim
