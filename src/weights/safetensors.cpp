#include "weights/safetensors.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <set>

#include "core/error.h"
#include "core/json.h"

namespace simmim {
namespace {

constexpr uint64_t kMaxHeader = 100'000'000;  // the reference implementation's limit
constexpr uint64_t kAlign = 64;               // of the data's start, in files of ours

uint64_t read_u64(std::string_view bytes) {
  uint64_t value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

struct Entry {
  std::string name;
  DType dtype = DType::f32;
  std::vector<int64_t> shape;
  std::vector<uint64_t> range;  // begin and end, from the start of the data
  bool has_dtype = false, has_shape = false, has_range = false;
};

// Takes the header apart while it is parsed, so that a hostile one is refused before it is built in memory.
class HeaderReader : public nlohmann::json_sax<Json> {
 public:
  explicit HeaderReader(const std::string& where) : where_(where) {}
  std::vector<Entry> entries;
  Metadata metadata;

  template <class... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> format, Args&&... args) const {
    fail(Code::data, "{}: damaged safetensors header: {}", where_, fmt::format(format, std::forward<Args>(args)...));
  }

  bool key(std::string& name) override {
    if (at_ == At::root) {
      if (!names_.insert(name).second) refuse("'{}' stands twice", name);
      tensor_is_next_ = name != "__metadata__";
      if (tensor_is_next_) entries.emplace_back().name = name;
    } else if (at_ == At::tensor) {
      const Entry& entry = entries.back();
      if (name != "dtype" && name != "shape" && name != "data_offsets")
        refuse("'{}' has an unknown key '{}'", entry.name, name);
      const bool twice = name == "dtype" ? entry.has_dtype : name == "shape" ? entry.has_shape : entry.has_range;
      if (twice) refuse("'{}' has its {} twice", entry.name, name);
    } else if (metadata.contains(name)) {
      refuse("the metadata '{}' stands twice", name);
    }
    key_ = name;
    return true;
  }

  bool start_object(std::size_t) override {
    if (at_ == At::outside)
      at_ = At::root;
    else if (at_ == At::root)
      at_ = tensor_is_next_ ? At::tensor : At::metadata;
    else
      wrong("an object");
    return true;
  }
  bool end_object() override {
    if (at_ == At::tensor) {
      const Entry& entry = entries.back();
      if (!entry.has_dtype || !entry.has_shape || entry.range.size() != 2)
        refuse("'{}' lacks its dtype, shape or the two data_offsets", entry.name);
    }
    at_ = at_ == At::root ? At::outside : At::root;
    return true;
  }

  bool start_array(std::size_t) override {
    if (at_ != At::tensor || key_ == "dtype") wrong("a list");
    at_ = At::list;
    return true;
  }
  bool end_array() override {
    (key_ == "shape" ? entries.back().has_shape : entries.back().has_range) = true;
    at_ = At::tensor;
    return true;
  }

  bool string(std::string& text) override {
    if (at_ == At::metadata) {
      metadata[key_] = text;
    } else if (at_ == At::tensor && key_ == "dtype") {
      static constexpr int kTypes = static_cast<int>(DType::boolean) + 1;
      int type = 0;
      while (type < kTypes && name_of(static_cast<DType>(type)) != text) ++type;
      if (type == kTypes) refuse("'{}' has the type '{}', which this program does not read", entries.back().name, text);
      entries.back().dtype = static_cast<DType>(type);
      entries.back().has_dtype = true;
    } else {
      wrong("a text");
    }
    return true;
  }
  bool number_unsigned(number_unsigned_t number) override {
    if (at_ != At::list || number > uint64_t{INT64_MAX}) wrong("a number");
    if (key_ == "shape")
      entries.back().shape.push_back(static_cast<int64_t>(number));
    else
      entries.back().range.push_back(number);
    return true;
  }
  bool number_integer(number_integer_t) override { wrong("a negative number"); }
  bool number_float(number_float_t, const std::string&) override { wrong("a fraction"); }
  bool boolean(bool) override { wrong("true or false"); }
  bool null() override { wrong("null"); }
  bool binary(binary_t&) override { wrong("binary data"); }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    refuse("no valid JSON at byte {}", position);
  }

 private:
  [[noreturn]] void wrong(const char* got) const { refuse("{} where it does not belong, after '{}'", got, key_); }

  enum class At { outside, root, metadata, tensor, list };
  const std::string& where_;
  At at_ = At::outside;
  bool tensor_is_next_ = false;
  std::string key_;
  std::set<std::string> names_;
};

// Elements times size, or false if that does not fit 63 bits.
bool byte_count(const Entry& entry, uint64_t& bytes) {
  bytes = size_of(entry.dtype);
  for (const int64_t side : entry.shape)
    if (__builtin_mul_overflow(bytes, static_cast<uint64_t>(side), &bytes)) return false;
  return bytes <= uint64_t{INT64_MAX};
}

}  // namespace

bool looks_like_safetensors(std::string_view bytes) { return bytes.size() >= 9 && bytes[8] == '{'; }

FileContents read_safetensors(std::string_view bytes, const std::string& where) {
  const uint64_t header_size = read_u64(bytes);
  HeaderReader header(where);
  if (header_size > kMaxHeader) header.refuse("it claims {} bytes; allowed: at most {}", header_size, kMaxHeader);
  if (header_size > bytes.size() - 8)
    fail(Code::data,
         "{}: this file is cut off: its header has {} bytes and only {} are there; copy or download it again", where,
         header_size, bytes.size() - 8);
  const std::string_view text = bytes.substr(8, header_size), data = bytes.substr(8 + header_size);
  Json::sax_parse(text.begin(), text.end(), &header);

  // The data must be exactly the tensors, one after the other.
  std::vector<const Entry*> by_place;
  for (const Entry& entry : header.entries) by_place.push_back(&entry);
  std::stable_sort(by_place.begin(), by_place.end(), [](auto* a, auto* b) { return a->range < b->range; });
  uint64_t end = 0;
  for (const Entry* entry : by_place) {
    const uint64_t first = entry->range[0], last = entry->range[1];
    uint64_t expected = 0;
    if (last < first || !byte_count(*entry, expected) || last - first != expected)
      header.refuse("'{}' of shape {} and type {} cannot lie in bytes {} to {}", entry->name, shape_text(entry->shape),
                    name_of(entry->dtype), first, last);
    if (first != end)
      header.refuse("'{}' begins at byte {}, {} the end of the tensor before it ({})", entry->name, first,
                    first < end ? "before" : "beyond", end);
    end = last;
  }
  if (end > data.size())
    fail(Code::data,
         "{}: this file is cut off: its tensors have {} bytes and only {} are there; copy or download it again", where,
         end, data.size());
  if (end < data.size())
    fail(Code::data, "{}: damaged safetensors file: {} bytes follow the last tensor", where, data.size() - end);

  FileContents out;
  out.format = "safetensors";
  out.metadata = std::move(header.metadata);
  for (Entry& entry : header.entries) {
    std::string_view view = data.substr(entry.range[0], entry.range[1] - entry.range[0]);
    if (reinterpret_cast<uintptr_t>(view.data()) % size_of(entry.dtype) != 0) {
      const std::vector<char>& copy = out.owned.emplace_back(view.begin(), view.end());
      view = {copy.data(), copy.size()};
    }
    out.tensors.emplace_back(std::move(entry.name), TensorView{entry.dtype, std::move(entry.shape), view});
  }
  return out;
}

void write_safetensors(const fs::path& path, const NamedViews& tensors, const Metadata& metadata) {
  std::vector<size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return size_of(tensors[a].second.dtype) > size_of(tensors[b].second.dtype);
  });
  std::vector<uint64_t> begin(tensors.size());
  uint64_t end = 0;
  for (const size_t i : order) {
    begin[i] = end;
    end += tensors[i].second.bytes.size();
  }

  const auto spell = [](const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); };
  std::string header = "{";
  if (!metadata.empty()) header += "\"__metadata__\":" + spell(metadata) + (tensors.empty() ? "" : ",");
  std::set<std::string_view> names = {"__metadata__"};
  for (size_t i = 0; i < tensors.size(); ++i) {
    const auto& [name, tensor] = tensors[i];
    SIMMIM_CHECK(names.insert(name).second, "the tensor name '{}' is taken", name);
    SIMMIM_CHECK(tensor.bytes.size() == static_cast<uint64_t>(tensor.count()) * size_of(tensor.dtype),
                 "'{}' of shape {} has {} bytes", name, shape_text(tensor.shape), tensor.bytes.size());
    header +=
        fmt::format("{}{}:{{\"dtype\":\"{}\",\"shape\":[{}],\"data_offsets\":[{},{}]}}", i == 0 ? "" : ",", spell(name),
                    name_of(tensor.dtype), fmt::join(tensor.shape, ","), begin[i], begin[i] + tensor.bytes.size());
  }
  header += "}";
  header.resize((8 + header.size() + kAlign - 1) / kAlign * kAlign - 8, ' ');

  const uint64_t header_size = header.size();
  write_file_atomically(path, 8 + header_size + end, [&](const Append& append) {
    append(&header_size, sizeof header_size);
    append(header.data(), header.size());
    for (const size_t i : order) append(tensors[i].second.bytes.data(), tensors[i].second.bytes.size());
  });
}

}  // namespace simmim
