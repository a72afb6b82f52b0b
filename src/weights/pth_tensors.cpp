#include "weights/pth_tensors.h"

#include <algorithm>
#include <cstring>

#include "core/error.h"

namespace simmim {
namespace {

using Kind = PickleNode::Kind;

constexpr size_t kMaxSides = 64;  // PyTorch's own limit on dimensions

struct StorageType {
  std::string_view name;
  DType dtype;
};
constexpr StorageType kStorageTypes[] = {{"FloatStorage", DType::f32}, {"DoubleStorage", DType::f64},
                                         {"HalfStorage", DType::f16},  {"BFloat16Storage", DType::bf16},
                                         {"LongStorage", DType::i64},  {"IntStorage", DType::i32},
                                         {"ShortStorage", DType::i16}, {"CharStorage", DType::i8},
                                         {"ByteStorage", DType::u8},   {"BoolStorage", DType::boolean}};

template <class... Args>
[[noreturn]] void refuse(const std::string& where, fmt::format_string<Args...> format, Args&&... args) {
  fail(Code::data, "{}: cannot read this PyTorch file: {}", where, fmt::format(format, std::forward<Args>(args)...));
}

bool is_contiguous(const std::vector<int64_t>& shape, const std::vector<int64_t>& strides) {
  int64_t expected = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    if (shape[i] != 1 && strides[i] != expected) return false;
    expected *= shape[i];
  }
  return true;
}

std::vector<char> gather(const char* data, const std::vector<int64_t>& shape, const std::vector<int64_t>& strides,
                         size_t element, size_t bytes) {
  std::vector<char> out(bytes);
  std::vector<int64_t> index(shape.size(), 0);
  int64_t at = 0;  // elements
  for (size_t done = 0; done < bytes; done += element) {
    std::memcpy(out.data() + done, data + at * static_cast<int64_t>(element), element);
    for (size_t axis = shape.size(); axis-- > 0;) {
      at += strides[axis];
      if (++index[axis] < shape[axis]) break;
      at -= shape[axis] * strides[axis];
      index[axis] = 0;
    }
  }
  return out;
}

}  // namespace

std::string_view storage_type(DType dtype) {
  return std::find_if(std::begin(kStorageTypes), std::end(kStorageTypes),
                      [&](const StorageType& row) { return row.dtype == dtype; })
      ->name;
}

PthStorage read_storage(const PickleNode& node, const std::string& where, const std::string& tensor) {
  const PickleNode* id = node.is(Kind::persistent) ? node.head : nullptr;
  if (id == nullptr || !id->is(Kind::list) || id->items.size() < 5 || !id->items[2]->is(Kind::text) ||
      !id->items[4]->is(Kind::integer))
    refuse(where, "the tensor '{}' has no storage", tensor);
  const std::string_view type = id->items[1]->text;
  PthStorage out{.elements = id->items[4]->integer, .key = id->items[2]->text};
  const auto* known = std::find_if(std::begin(kStorageTypes), std::end(kStorageTypes), [&](const StorageType& row) {
    return type.starts_with("torch.") && type.ends_with(std::string(".").append(row.name));
  });
  if (known == std::end(kStorageTypes))
    refuse(where, "the tensor '{}' has the type '{}', which this program does not read", tensor, type);
  out.dtype = known->dtype;
  if (id->items.size() > 5 && id->items[5]->is(Kind::list) && id->items[5]->items.size() == 3)
    out.view_offset = id->items[5]->items[1]->integer;
  return out;
}

const PickleNode* PthTensors::arguments_of(const PickleNode* node) {
  for (int depth = 0; depth < 4 && node->is(Kind::object) && node->head != nullptr; ++depth) {
    const auto& arguments = node->head->items;
    if (node->text == "torch._utils._rebuild_tensor_v2" || node->text == "torch._utils._rebuild_tensor")
      return node->head;
    const bool parameter = node->text.starts_with("torch._utils._rebuild_parameter");
    if (!parameter || arguments.empty()) return nullptr;
    node = arguments[0];
  }
  return nullptr;
}

std::vector<int64_t> PthTensors::integers(const PickleNode& node, const std::string& tensor) const {
  if (node.items.size() > kMaxSides) refuse(where_, "the tensor '{}' has {} sides", tensor, node.items.size());
  std::vector<int64_t> out;
  for (const PickleNode* item : node.items) {
    if (!item->is(Kind::integer) || item->integer < 0)
      refuse(where_, "the tensor '{}' has a side or stride that is no number", tensor);
    out.push_back(item->integer);
  }
  return out;
}

void PthTensors::add(const std::string& name, const PickleNode& arguments, FileContents& out) {
  if (!names_.insert(name).second) refuse(where_, "the tensor '{}' stands twice", name);
  const auto& args = arguments.items;
  if (args.size() < 4 || !args[1]->is(Kind::integer)) refuse(where_, "the tensor '{}' has no size", name);
  const PthStorage from = read_storage(*args[0], where_, name);
  TensorView view{.dtype = from.dtype, .shape = integers(*args[2], name)};
  std::vector<int64_t> strides = integers(*args[3], name);
  if (strides.size() != view.shape.size())
    refuse(where_, "the tensor '{}' has {} sides and {} strides", name, view.shape.size(), strides.size());

  // All elements must lie within the storage, and the storage within the file.
  const auto it = storages_.find(from.key);
  if (it == storages_.end()) refuse(where_, "the data of the tensor '{}' are missing", name);
  const auto element = static_cast<int64_t>(size_of(from.dtype));
  const int64_t available = static_cast<int64_t>(it->second.size()) / element;
  int64_t count = 1, offset = 0, last = 0;
  bool fits = from.elements >= 0 && from.elements <= available && args[1]->integer >= 0 && from.view_offset >= 0 &&
              !__builtin_add_overflow(args[1]->integer, from.view_offset, &offset) && offset <= from.elements;
  last = offset;
  for (size_t i = 0; i < strides.size() && fits; ++i) {
    if (view.shape[i] == 1) strides[i] = 0;  // never used, and may be anything
    int64_t step = 0;
    fits = !__builtin_mul_overflow(count, view.shape[i], &count) &&
           !__builtin_mul_overflow(std::max<int64_t>(view.shape[i] - 1, 0), strides[i], &step) &&
           !__builtin_add_overflow(last, step, &last);
  }
  if (!fits || (count > 0 && last >= from.elements) || count > INT64_MAX / element)
    refuse(where_, "the tensor '{}' of shape {} does not fit its data", name, shape_text(view.shape));

  const char* data = it->second.data() + offset * element;
  const auto bytes = static_cast<size_t>(count * element);
  if (count == 0) {
    view.bytes = {};
  } else if (is_contiguous(view.shape, strides) && reinterpret_cast<uintptr_t>(data) % size_of(from.dtype) == 0) {
    view.bytes = {data, bytes};
  } else {
    if (bytes > copies_left_)
      refuse(where_, "the tensor '{}' of shape {} is too large for this file", name, shape_text(view.shape));
    copies_left_ -= bytes;
    const std::vector<char>& copy =
        out.owned.emplace_back(gather(data, view.shape, strides, static_cast<size_t>(element), bytes));
    view.bytes = {copy.data(), bytes};
  }
  out.tensors.emplace_back(name, std::move(view));
}

}  // namespace simmim
