#include "weights/npy.h"

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "core/names.h"

namespace simmim {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kNpyAlign = 64;  // of the data's start
constexpr int64_t kMaxElements = int64_t{1} << 32;

// What stands after 'key': in the header, a Python dictionary such as
// {'descr': '<f4', 'fortran_order': False, 'shape': (512, 3), }
std::string_view value_of(std::string_view header, const std::string& key) {
  const size_t at = header.find("'" + key + "':");
  if (at == std::string_view::npos) return {};
  std::string_view rest = header.substr(at + key.size() + 3);
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  const size_t end = rest.starts_with('(') ? rest.find(')') : rest.find_first_of(",}");
  return rest.substr(0, end);
}

class Reader {
 public:
  explicit Reader(const fs::path& path) : path_(path), file_(path) {}

  NpyArray read() const {
    const std::string_view bytes = file_.bytes();
    if (!bytes.starts_with(kMagic)) refuse("no .npy file");
    if (bytes.size() < 10) refuse("cut off");
    const int version = bytes[6];
    if (version != 1 && version != 2) refuse(fmt::format("version {}", version));
    const size_t start = version == 1 ? 10 : 12;
    if (bytes.size() < start) refuse("cut off");
    uint32_t length = 0;
    std::memcpy(&length, bytes.data() + 8, start - 8);
    if (bytes.size() - start < length) refuse("cut off");
    const std::string_view header = bytes.substr(start, length), data = bytes.substr(start + length);
    const std::string_view type = value_of(header, "descr"), order = value_of(header, "fortran_order");
    if (type != "'<f4'" && type != "'<f8'") refuse(fmt::format("numbers of type {}", type));
    if (order != "False") refuse("columns stored one after another");
    return {shape_of(header), type == "'<f4'" ? values<float>(data, header) : values<double>(data, header)};
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    fail(Code::data,
         "{}: got {}; allowed: a .npy file of version 1 or 2 with numbers of type '<f4' or '<f8' in C order, as "
         "numpy.save writes them",
         path_.string(), what);
  }

  std::vector<int64_t> shape_of(std::string_view header) const {
    const std::string_view text = value_of(header, "shape");
    if (!text.starts_with('(')) refuse("a header without a shape");
    std::vector<int64_t> shape;
    int64_t elements = 1;
    for (const std::string& part : split(text.substr(1), ',')) {
      const std::string side = trim(part);
      if (side.empty()) continue;  // after the comma of (512,)
      if (side.size() > 10 || side.find_first_not_of("0123456789") != std::string::npos) refuse("a shape of " + side);
      shape.push_back(std::stoll(side));
      elements *= shape.back();
      if (elements > kMaxElements) refuse(fmt::format("a shape of {})", text));
    }
    return shape;
  }

  template <class T>
  std::vector<double> values(std::string_view data, std::string_view header) const {
    size_t count = 1;
    for (const int64_t side : shape_of(header)) count *= static_cast<size_t>(side);
    if (data.size() != count * sizeof(T)) refuse(fmt::format("{} bytes of {}", data.size(), count * sizeof(T)));
    std::vector<T> read(count);
    std::memcpy(read.data(), data.data(), data.size());
    return {read.begin(), read.end()};
  }

  fs::path path_;
  MappedFile file_;
};

}  // namespace

NpyArray read_npy(const fs::path& path) { return Reader(path).read(); }

void write_npy(const fs::path& path, const std::vector<int64_t>& shape, const std::vector<float>& values) {
  std::string sides;
  for (const int64_t side : shape) sides += fmt::format("{}, ", side);
  std::string header = fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}), }}", trim(sides));
  const size_t start = kMagic.size() + 4;
  header.append(kNpyAlign - 1 - (start + header.size()) % kNpyAlign, ' ');
  header += '\n';
  const auto length = static_cast<uint16_t>(header.size());
  std::string bytes = std::string(kMagic) + '\x01' + '\x00';
  bytes.append(reinterpret_cast<const char*>(&length), sizeof length);
  bytes += header;
  bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
  write_file_atomically(path, bytes);
}

}  // namespace simmim
