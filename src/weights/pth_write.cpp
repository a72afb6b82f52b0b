// Writing what torch.load reads (weights_only=True too): a stored zip archive of one pickle and the tensors' bytes, as
// torch.save has made it since 1.6 (pytorch caffe2/serialize/inline_container.h).
#include <zlib.h>

#include "core/error.h"
#include "weights/pth_tensors.h"

namespace simmim {
namespace {

constexpr uint64_t kAlign = 64;  // of every entry's bytes, as torch.save does
constexpr uint64_t kMaxBytes = 0xFFFFFFFF;

template <class T>
void put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

class PickleWriter {
 public:
  std::string bytes = "\x80\x02";

  void text(std::string_view value) {
    bytes += 'X';
    put(bytes, static_cast<uint32_t>(value.size()));
    bytes += value;
  }
  void integer(int64_t value) {
    bytes += "\x8a\x08";
    put(bytes, value);
  }
  void tuple(const std::vector<int64_t>& values) {
    bytes += '(';
    for (const int64_t value : values) integer(value);
    bytes += 't';
  }
  void tensor(const TensorView& view, const std::string& key) {
    std::vector<int64_t> strides(view.shape.size(), 1);
    for (size_t i = strides.size(); i-- > 1;) strides[i - 1] = strides[i] * view.shape[i];
    bytes += "ctorch._utils\n_rebuild_tensor_v2\n((";
    text("storage");
    bytes.append("ctorch\n").append(storage_type(view.dtype)).append("\n");
    text(key);
    text("cpu");
    integer(view.count());
    bytes += "tQ";
    integer(0);
    tuple(view.shape);
    tuple(strides);
    bytes.append("\x89").append(kOrderedDict).append("tR");  // no gradient, no hooks
  }

  static constexpr std::string_view kOrderedDict = "ccollections\nOrderedDict\n)R";
};

struct Entry {
  std::string name;
  std::string_view bytes;
  uint32_t checksum = 0;
  uint64_t offset = 0;
};

// The fields that an entry's own header and the directory share.
std::string entry_fields(const Entry& entry, size_t extra) {
  std::string out;
  for (const int field : {0, 0, 0, 0}) put(out, static_cast<uint16_t>(field));  // flags, stored, time, date
  put(out, entry.checksum);
  for (int i = 0; i < 2; ++i) put(out, static_cast<uint32_t>(entry.bytes.size()));
  put(out, static_cast<uint16_t>(entry.name.size()));
  put(out, static_cast<uint16_t>(extra));
  return out;
}

std::string local_header(const Entry& entry) {
  const size_t plain = 30 + entry.name.size() + 4;
  const size_t padding = (kAlign - (entry.offset + plain) % kAlign) % kAlign;
  std::string out = "PK\3\4";
  put(out, uint16_t{20});
  out += entry_fields(entry, 4 + padding) + entry.name + "FB";
  put(out, static_cast<uint16_t>(padding));
  return out.append(padding, 'Z');
}

std::string directory(const std::vector<Entry>& entries, uint64_t offset) {
  std::string out;
  for (const Entry& entry : entries) {
    out += "PK\1\2";
    for (int i = 0; i < 2; ++i) put(out, uint16_t{20});
    out += entry_fields(entry, 0);
    out.append(2 + 2 + 2 + 4, '\0');  // comment, disk, attributes
    put(out, static_cast<uint32_t>(entry.offset));
    out += entry.name;
  }
  std::string end = "PK\5\6";
  put(end, uint32_t{0});
  for (int i = 0; i < 2; ++i) put(end, static_cast<uint16_t>(entries.size()));
  put(end, static_cast<uint32_t>(out.size()));
  put(end, static_cast<uint32_t>(offset));
  put(end, uint16_t{0});
  return out + end;
}

}  // namespace

void write_pth(const fs::path& path, const NamedViews& tensors, const Metadata& metadata) {
  PickleWriter pickle;
  pickle.bytes += "}(";
  pickle.text("simmim");
  pickle.bytes += "}(";
  for (const auto& [key, value] : metadata) pickle.text(key), pickle.text(value);
  pickle.bytes += "u";
  pickle.text("model");
  pickle.bytes.append(PickleWriter::kOrderedDict).append("(");
  std::vector<Entry> entries = {{"archive/data.pkl", {}}, {"archive/byteorder", "little"}, {"archive/version", "3\n"}};
  for (const auto& [name, tensor] : tensors) {
    const std::string key = std::to_string(entries.size() - 3);
    pickle.text(name);
    pickle.tensor(tensor, key);
    entries.push_back({"archive/data/" + key, tensor.bytes});
  }
  pickle.bytes += "uu.";
  entries[0].bytes = pickle.bytes;

  uint64_t end = 0;
  for (Entry& entry : entries) {
    entry.checksum = static_cast<uint32_t>(
        crc32_z(0, reinterpret_cast<const unsigned char*>(entry.bytes.data()), entry.bytes.size()));
    entry.offset = end;
    end += local_header(entry).size() + entry.bytes.size();
  }
  if (end > kMaxBytes || entries.size() > 0xFFFF)
    fail(Code::usage, "{}: a .pth of {} bytes is more than this program writes ({}); write a .safetensors file",
         path.string(), end, kMaxBytes);
  const std::string contents = directory(entries, end);
  write_file_atomically(path, end + contents.size(), [&](const Append& append) {
    for (const Entry& entry : entries) {
      const std::string header = local_header(entry);
      append(header.data(), header.size());
      append(entry.bytes.data(), entry.bytes.size());
    }
    append(contents.data(), contents.size());
  });
}

}  // namespace simmim
