#include "weights/pth.h"

#include <algorithm>
#include <set>

#include "core/error.h"
#include "core/json.h"
#include "weights/bytes.h"
#include "weights/pickle.h"
#include "weights/pth_tensors.h"
#include "weights/zip.h"

namespace simmim {
namespace {

using Kind = PickleNode::Kind;

// The older format begins with a pickle of the number 0x1950a86a20f9469cfc6c.
constexpr std::string_view kLegacyMagic = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";

// The tensors and numbers of one checkpoint, from its main pickle and the bytes of its storages.
class Checkpoint {
 public:
  // storages: their bytes by key.
  Checkpoint(const std::string& where, uint64_t file_bytes, std::map<std::string, std::string_view> storages)
      : where_(where), tensors_(where, file_bytes, std::move(storages)) {}

  FileContents read(const PickleNode& root) {
    if (!is_dictionary(root) && !is_module(root))
      refuse("it holds no dictionary of tensors; save the model's state_dict()");
    for (const char* key : {"model", "state_dict", "model_state_dict"}) {
      const PickleNode* model = root.at(key);
      if (model == nullptr || !(is_dictionary(*model) || is_module(*model))) continue;
      add_tensors(*model, "", 0);
      break;
    }
    if (out_.tensors.empty())
      add_tensors(root, "", 0, {"optimizer", "optimizer_state_dict", "lr_scheduler", "scheduler", "amp", "scaler"});
    if (out_.tensors.empty()) refuse("it holds no named tensors; save the model's state_dict()");
    const std::vector<const PickleNode*>& facts = is_module(root) ? root.state->items : root.items;
    for (size_t i = 0; i + 1 < facts.size(); i += 2) {
      const PickleNode &key = *facts[i], &value = *facts[i + 1];
      if (!key.is(Kind::text) || !spend(key.text.size() + value.text.size())) continue;
      if (value.is(Kind::text))
        out_.metadata[key.text] = value.text;
      else if (value.is(Kind::boolean) || value.is(Kind::integer) || value.is(Kind::number) || key.text == "config" ||
               key.text == "args")
        out_.metadata[key.text] = to_json(value, 0).dump(-1, ' ', false, Json::error_handler_t::replace);
    }
    if (const PickleNode* ours = root.at("simmim"); ours != nullptr && ours->is(Kind::dict))  // of write_pth
      for (size_t i = 0; i + 1 < ours->items.size(); i += 2)
        if (const PickleNode& key = *ours->items[i], &value = *ours->items[i + 1];
            key.is(Kind::text) && value.is(Kind::text) && spend(key.text.size() + value.text.size()))
          out_.metadata[key.text] = value.text;
    return std::move(out_);
  }

 private:
  static constexpr int kMaxDepth = 32;
  static constexpr uint64_t kMaxText = 64 << 20;  // bytes of names and metadata together
  static constexpr uint64_t kNode = 4096;         // what a value in a configuration counts; real ones have some hundred

  template <class... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> format, Args&&... args) const {
    fail(Code::data, "{}: cannot read this PyTorch file: {}", where_, fmt::format(format, std::forward<Args>(args)...));
  }

  // A few objects that refer to each other can spell endless text: false once that of a hostile file is used up.
  bool spend(uint64_t text_bytes) {
    const uint64_t cost = 64 + text_bytes;
    if (cost > text_left_) return false;
    text_left_ -= cost;
    return true;
  }

  // Adds the tensors of a dictionary of dictionaries, or of a whole module, under dotted names; `skip` are keys of the
  // first level.
  void add_tensors(const PickleNode& node, const std::string& prefix, int depth,
                   const std::set<std::string_view>& skip = {}) {
    if (depth > kMaxDepth) refuse("its dictionaries are nested more than {} deep", kMaxDepth);
    if (is_module(node)) {
      for (const char* part : {"_parameters", "_buffers", "_modules"})
        if (const PickleNode* members = node.state->at(part)) add_tensors(*members, prefix, depth + 1);
      return;
    }
    for (size_t i = 0; i + 1 < node.items.size(); i += 2) {
      const PickleNode &key = *node.items[i], &value = *node.items[i + 1];
      if (!spend(prefix.size() + key.text.size())) refuse("its names are too many or too long");
      if (!key.is(Kind::text) || (depth == 0 && skip.contains(key.text))) continue;
      if (const PickleNode* arguments = PthTensors::arguments_of(&value))
        tensors_.add(prefix + key.text, *arguments, out_);
      else if (is_dictionary(value) || is_module(value))
        add_tensors(value, prefix + key.text + ".", depth + 1);
    }
  }

  // An nn.Module that was pickled whole, of whatever class: what it holds are dictionaries by kind.
  static bool is_module(const PickleNode& node) {
    return node.is(Kind::object) && node.state != nullptr && node.state->at("_modules") != nullptr;
  }

  // A dict, an OrderedDict, or an unknown class that was filled like one (yacs CfgNode).
  static bool is_dictionary(const PickleNode& node) {
    return node.is(Kind::dict) || (node.is(Kind::object) && !node.items.empty());
  }

  Json to_json(const PickleNode& node, int depth) {
    if (depth > kMaxDepth || !spend(kNode + node.text.size())) return "...";
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
  PthTensors tensors_;
  uint64_t text_left_ = kMaxText;
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

  std::map<std::string, std::string_view> storages;
  const std::string data = folder + "data/";
  for (auto it = entries.lower_bound(data); it != entries.end() && it->first.starts_with(data); ++it)
    storages.emplace(it->first.substr(data.size()), it->second);
  FileContents out = Checkpoint(where, bytes.size(), std::move(storages)).read(Pickle(main->second, where).root());
  out.format = "pth";
  return out;
}

// ('module', class, file, source): the older format keeps the source of a module's class beside it.
bool is_class(const PickleNode& node) {
  return node.head != nullptr && !node.head->items.empty() && node.head->items[0]->text == "module";
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

  std::map<std::string, std::string_view> storages;
  std::map<std::string, size_t> element_sizes;
  for (const PickleNode* node : object.persistent()) {
    if (is_class(*node)) continue;
    const PthStorage storage = read_storage(*node, where, "?");
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
    storages.emplace(key->text, reader.take(elements * size->second));
  }
  FileContents out = Checkpoint(where, bytes.size(), std::move(storages)).read(object.root());
  out.format = "legacy pth";
  return out;
}

}  // namespace

bool looks_like_pth(std::string_view bytes) { return bytes.starts_with("PK\3\4") || bytes.starts_with(kLegacyMagic); }

FileContents read_pth(std::string_view bytes, const std::string& where) {
  return bytes.starts_with(kLegacyMagic) ? read_legacy_checkpoint(bytes, where) : read_zip_checkpoint(bytes, where);
}

}  // namespace simmim
