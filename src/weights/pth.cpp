#include "weights/pth.h"

#include <array>
#include <cstring>
#include <set>

#include "core/error.h"
#include "core/json.h"
#include "weights/bytes.h"
#include "weights/pickle.h"
#include "weights/zip.h"

namespace simmim {
namespace {

using Kind = PickleNode::Kind;

// The older format begins with a pickle of the number 0x1950a86a20f9469cfc6c.
constexpr std::string_view kLegacyMagic = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";

struct Storage {
  DType dtype = DType::f32;
  int64_t elements = 0;
  int64_t view_offset = 0;  // elements; only storages of PyTorch before 0.4 have one
  std::string key;
};

struct StorageType {
  std::string_view name;
  DType dtype;
};
constexpr StorageType kStorageTypes[] = {{"FloatStorage", DType::f32}, {"DoubleStorage", DType::f64},
                                         {"HalfStorage", DType::f16},  {"BFloat16Storage", DType::bf16},
                                         {"LongStorage", DType::i64},  {"IntStorage", DType::i32},
                                         {"ShortStorage", DType::i16}, {"CharStorage", DType::i8},
                                         {"ByteStorage", DType::u8},   {"BoolStorage", DType::boolean}};

// The tensors and numbers of one checkpoint, from its main pickle and the bytes of its storages.
class Checkpoint {
 public:
  Checkpoint(const std::string& where, uint64_t file_bytes)
      : where_(where), copies_left_(4 * file_bytes + (64 << 20)) {}

  std::map<std::string, std::string_view> storages;  // key -> bytes

  // ('storage', type, key, location, elements[, view]), where view is None or (key, offset, elements).
  Storage storage(const PickleNode& node, const std::string& tensor) const {
    const PickleNode* id = node.is(Kind::persistent) ? node.head : nullptr;
    if (id == nullptr || !id->is(Kind::list) || id->items.size() < 5 || !id->items[2]->is(Kind::text) ||
        !id->items[4]->is(Kind::integer))
      refuse("the tensor '{}' has no storage", tensor);
    const std::string_view type = id->items[1]->text;
    Storage out{.elements = id->items[4]->integer, .key = id->items[2]->text};
    const auto* known = std::find_if(std::begin(kStorageTypes), std::end(kStorageTypes), [&](const StorageType& row) {
      return type.starts_with("torch.") && type.ends_with(std::string(".").append(row.name));
    });
    if (known == std::end(kStorageTypes))
      refuse("the tensor '{}' has the type '{}', which this program does not read", tensor, type);
    out.dtype = known->dtype;
    if (id->items.size() > 5 && id->items[5]->is(Kind::list) && id->items[5]->items.size() == 3)
      out.view_offset = id->items[5]->items[1]->integer;
    return out;
  }

  // Whether a node is a tensor, looking through Parameter; if so the arguments of its rebuild call.
  static const PickleNode* tensor_arguments(const PickleNode* node) {
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

  void add_tensor(const std::string& name, const PickleNode& arguments) {
    if (!names_.insert(name).second) refuse("the tensor '{}' stands twice", name);
    const auto& args = arguments.items;
    if (args.size() < 4 || !args[1]->is(Kind::integer)) refuse("the tensor '{}' has no size", name);
    const Storage from = storage(*args[0], name);
    TensorView view{.dtype = from.dtype, .shape = integers(*args[2], name)};
    const std::vector<int64_t> strides = integers(*args[3], name);
    if (strides.size() != view.shape.size())
      refuse("the tensor '{}' has {} sides and {} strides", name, view.shape.size(), strides.size());

    // All elements must lie within the storage, and the storage within the file.
    const auto it = storages.find(from.key);
    if (it == storages.end()) refuse("the data of the tensor '{}' are missing", name);
    const auto element = static_cast<int64_t>(size_of(from.dtype));
    const int64_t available = static_cast<int64_t>(it->second.size()) / element;
    int64_t count = 1, offset = 0, last = 0;
    bool fits = from.elements >= 0 && from.elements <= available && args[1]->integer >= 0 && from.view_offset >= 0 &&
                !__builtin_add_overflow(args[1]->integer, from.view_offset, &offset) && offset <= from.elements;
    last = offset;
    for (size_t i = 0; i < strides.size() && fits; ++i) {
      int64_t step = 0;
      fits = !__builtin_mul_overflow(count, view.shape[i], &count) &&
             !__builtin_mul_overflow(std::max<int64_t>(view.shape[i] - 1, 0), strides[i], &step) &&
             !__builtin_add_overflow(last, step, &last);
    }
    if (!fits || (count > 0 && last >= from.elements) || count > INT64_MAX / element)
      refuse("the tensor '{}' of shape {} does not fit its data", name, shape_text(view.shape));

    const char* data = it->second.data() + offset * element;
    const auto bytes = static_cast<size_t>(count * element);
    if (count == 0) {
      view.bytes = {};
    } else if (is_contiguous(view.shape, strides) && reinterpret_cast<uintptr_t>(data) % size_of(from.dtype) == 0) {
      view.bytes = {data, bytes};
    } else {
      if (bytes > copies_left_)
        refuse("the tensor '{}' of shape {} is too large for this file", name, shape_text(view.shape));
      copies_left_ -= bytes;
      const std::vector<char>& copy =
          out_.owned.emplace_back(gather(data, view.shape, strides, static_cast<size_t>(element), bytes));
      view.bytes = {copy.data(), bytes};
    }
    out_.tensors.emplace_back(name, std::move(view));
  }

  // Adds the tensors of a dictionary of dictionaries under dotted names; `skip` are keys of the first level.
  void add_tensors(const PickleNode& node, const std::string& prefix, int depth,
                   const std::set<std::string_view>& skip = {}) {
    if (depth > kMaxDepth) refuse("its dictionaries are nested more than {} deep", kMaxDepth);
    for (size_t i = 0; i + 1 < node.items.size(); i += 2) {
      if (++visited_ > kMaxVisits) refuse("more than {} entries", kMaxVisits);
      const PickleNode &key = *node.items[i], &value = *node.items[i + 1];
      if (!key.is(Kind::text) || (depth == 0 && skip.contains(key.text))) continue;
      if (const PickleNode* arguments = tensor_arguments(&value))
        add_tensor(prefix + key.text, *arguments);
      else if (is_dictionary(value))
        add_tensors(value, prefix + key.text + ".", depth + 1);
    }
  }

  FileContents read(const PickleNode& root) {
    if (!is_dictionary(root)) refuse("it holds no dictionary of tensors; save the model's state_dict()");
    for (const char* key : {"model", "state_dict", "model_state_dict"}) {
      const PickleNode* model = root.at(key);
      if (model == nullptr || !is_dictionary(*model)) continue;
      add_tensors(*model, "", 0);
      break;
    }
    if (out_.tensors.empty())
      add_tensors(root, "", 0, {"optimizer", "optimizer_state_dict", "lr_scheduler", "scheduler", "amp", "scaler"});
    if (out_.tensors.empty()) refuse("it holds no named tensors; save the model's state_dict()");
    for (size_t i = 0; i + 1 < root.items.size(); i += 2) {
      const PickleNode &key = *root.items[i], &value = *root.items[i + 1];
      if (!key.is(Kind::text)) continue;
      if (value.is(Kind::text))
        out_.metadata[key.text] = value.text;
      else if (value.is(Kind::boolean) || value.is(Kind::integer) || value.is(Kind::number) || key.text == "config" ||
               key.text == "args")
        out_.metadata[key.text] = to_json(value, 0).dump(-1, ' ', false, Json::error_handler_t::replace);
    }
    return std::move(out_);
  }

 private:
  static constexpr int kMaxDepth = 32;
  static constexpr int kMaxVisits = 1'000'000;

  template <class... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> format, Args&&... args) const {
    fail(Code::data, "{}: cannot read this PyTorch file: {}", where_, fmt::format(format, std::forward<Args>(args)...));
  }

  // A dict, an OrderedDict, or an unknown class that was filled like one (yacs CfgNode).
  static bool is_dictionary(const PickleNode& node) {
    return node.is(Kind::dict) || (node.is(Kind::object) && !node.items.empty());
  }

  std::vector<int64_t> integers(const PickleNode& node, const std::string& tensor) const {
    std::vector<int64_t> out;
    for (const PickleNode* item : node.items) {
      if (!item->is(Kind::integer) || item->integer < 0)
        refuse("the tensor '{}' has a side or stride that is no number", tensor);
      out.push_back(item->integer);
    }
    return out;
  }

  static bool is_contiguous(const std::vector<int64_t>& shape, const std::vector<int64_t>& strides) {
    int64_t expected = 1;
    for (size_t i = shape.size(); i-- > 0;) {
      if (shape[i] != 1 && strides[i] != expected) return false;
      expected *= shape[i];
    }
    return true;
  }

  static std::vector<char> gather(const char* data, const std::vector<int64_t>& shape,
                                  const std::vector<int64_t>& strides, size_t element, size_t bytes) {
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

  Json to_json(const PickleNode& node, int depth) {
    if (depth > kMaxDepth || ++visited_ > kMaxVisits) return "...";
    switch (node.kind) {
      case Kind::none:
        return nullptr;
      case Kind::boolean:
        return node.integer != 0;
      case Kind::integer:
        return node.integer;
      case Kind::number:
        return node.number;
      case Kind::text:
        return node.text;
      case Kind::global:
        return node.text;
      case Kind::list: {
        Json list = Json::array();
        for (const PickleNode* item : node.items) list.push_back(to_json(*item, depth + 1));
        return list;
      }
      case Kind::dict:
      case Kind::object: {
        if (node.items.empty() && node.state != nullptr) return to_json(*node.state, depth + 1);  // argparse.Namespace
        if (node.items.empty() && node.is(Kind::object)) return "<" + node.text + ">";
        Json object = Json::object();
        for (size_t i = 0; i + 1 < node.items.size(); i += 2) {
          const PickleNode& key = *node.items[i];
          object[key.is(Kind::integer) ? std::to_string(key.integer) : key.text] =
              to_json(*node.items[i + 1], depth + 1);
        }
        return object;
      }
      default:
        return "<bytes>";
    }
  }

  const std::string& where_;
  uint64_t copies_left_;
  int visited_ = 0;
  std::set<std::string> names_;
  FileContents out_;
};

FileContents read_zip_checkpoint(std::string_view bytes, const std::string& where) {
  const auto entries = read_zip(bytes, where);
  constexpr std::string_view kPickle = "data.pkl";
  const auto main = std::find_if(entries.begin(), entries.end(), [&](const auto& entry) {
    return entry.first == kPickle || entry.first.ends_with("/data.pkl");
  });
  if (main == entries.end())
    fail(Code::data, "{}: this zip archive is no PyTorch file: it has no data.pkl; give a safetensors or .pth file",
         where);
  const std::string folder = main->first.substr(0, main->first.size() - kPickle.size());
  if (const auto order = entries.find(folder + "byteorder"); order != entries.end() && order->second != "little")
    fail(Code::data, "{}: this file was saved on a big-endian machine; save it again on a little-endian one", where);

  Checkpoint checkpoint(where, bytes.size());
  const std::string data = folder + "data/";
  for (auto it = entries.lower_bound(data); it != entries.end() && it->first.starts_with(data); ++it)
    checkpoint.storages.emplace(it->first.substr(data.size()), it->second);
  FileContents out = checkpoint.read(Pickle(main->second, where).root());
  out.format = "pth";
  return out;
}

// Five pickles (magic, version, system, the object, the storage keys), then each storage: u64 elements, data.
FileContents read_legacy_checkpoint(std::string_view bytes, const std::string& where) {
  size_t at = 0;
  const auto next = [&] {
    Pickle pickle(bytes.substr(at), where);
    at += pickle.size();
    return pickle;
  };
  next();
  next();
  if (const Pickle system = next();
      system.root().at("little_endian") != nullptr && system.root().at("little_endian")->integer == 0)
    fail(Code::data, "{}: this file was saved on a big-endian machine; save it again on a little-endian one", where);
  const Pickle object = next();
  const Pickle keys = next();

  Checkpoint checkpoint(where, bytes.size());
  std::map<std::string, size_t> element_sizes;
  for (const PickleNode* node : object.persistent()) {
    const Storage storage = checkpoint.storage(*node, "?");
    element_sizes.emplace(storage.key, size_of(storage.dtype));
  }
  const auto cut_off = [&] {
    fail(Code::data, "{}: this file is cut off: the data of its tensors do not end; copy or download it again", where);
  };
  ByteReader reader(bytes.substr(at), cut_off);
  for (const PickleNode* key : keys.root().items) {
    const auto size = element_sizes.find(key->text);
    if (size == element_sizes.end())
      fail(Code::data, "{}: damaged PyTorch file: the storage '{}' has no tensor", where, key->text);
    const auto elements = reader.number<uint64_t>();
    if (elements > bytes.size()) cut_off();
    checkpoint.storages.emplace(key->text, reader.take(elements * size->second));
  }
  FileContents out = checkpoint.read(object.root());
  out.format = "legacy pth";
  return out;
}

}  // namespace

bool looks_like_pth(std::string_view bytes) { return bytes.starts_with("PK\3\4") || bytes.starts_with(kLegacyMagic); }

FileContents read_pth(std::string_view bytes, const std::string& where) {
  return bytes.starts_with(kLegacyMagic) ? read_legacy_checkpoint(bytes, where) : read_zip_checkpoint(bytes, where);
}

}  // namespace simmim
