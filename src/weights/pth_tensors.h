// Tensors in a PyTorch pickle: a call that rebuilds a strided view of a storage. Internal to weights/.
#pragma once
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "weights/pickle.h"
#include "weights/tensor_file.h"

namespace simmim {

struct PthStorage {
  DType dtype = DType::f32;
  int64_t elements = 0;
  int64_t view_offset = 0;  // elements; only storages of PyTorch before 0.4 have one
  std::string key;
};

std::string_view storage_type(DType dtype);  // "FloatStorage"

// ('storage', type, key, location, elements[, view]), where view is None or (key, offset, elements). Anything else:
// Code::data with `where` and the tensor's name.
PthStorage read_storage(const PickleNode& node, const std::string& where, const std::string& tensor);

class PthTensors {
 public:
  // storages: their bytes by key. file_bytes bounds what may be copied.
  PthTensors(const std::string& where, uint64_t file_bytes, std::map<std::string, std::string_view> storages)
      : where_(where), copies_left_(4 * file_bytes + (64 << 20)), storages_(std::move(storages)) {}

  // The arguments of the rebuild call if a node is a tensor, looking through Parameter; else nullptr.
  static const PickleNode* arguments_of(const PickleNode* node);

  // Appends a tensor to out.tensors: a view of its storage where that is contiguous and aligned, else a copy in
  // out.owned. A view that leaves its storage, a name that stands twice: Code::data.
  void add(const std::string& name, const PickleNode& arguments, FileContents& out);

 private:
  std::vector<int64_t> integers(const PickleNode& node, const std::string& tensor) const;

  const std::string& where_;
  uint64_t copies_left_;
  std::map<std::string, std::string_view> storages_;
  std::set<std::string> names_;
};

}  // namespace simmim
