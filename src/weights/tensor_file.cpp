#include "weights/tensor_file.h"

#include <cstring>

#include "core/error.h"
#include "weights/half.h"
#include "weights/names.h"
#include "weights/pth.h"
#include "weights/safetensors.h"

namespace simmim {

size_t size_of(DType dtype) {
  switch (dtype) {
    case DType::f64:
    case DType::i64:
      return 8;
    case DType::f32:
    case DType::i32:
      return 4;
    case DType::f16:
    case DType::bf16:
    case DType::i16:
      return 2;
    default:
      return 1;
  }
}

std::string_view name_of(DType dtype) {
  static constexpr std::string_view kNames[] = {"F32", "F64", "F16", "BF16", "I64", "I32", "I16", "I8", "U8", "BOOL"};
  return kNames[static_cast<size_t>(dtype)];
}

int64_t TensorView::count() const {
  int64_t product = 1;
  for (const int64_t side : shape) product *= side;
  return product;
}

namespace {
template <class T, class Convert>
std::vector<double> convert(const TensorView& tensor, Convert to_double) {
  std::vector<double> out(static_cast<size_t>(tensor.count()));
  for (size_t i = 0; i < out.size(); ++i) {
    T value;
    std::memcpy(&value, tensor.bytes.data() + i * sizeof(T), sizeof(T));
    out[i] = static_cast<double>(to_double(value));
  }
  return out;
}
}  // namespace

std::vector<double> to_doubles(const TensorView& tensor) {
  const auto same = [](auto value) { return value; };
  switch (tensor.dtype) {
    case DType::f32:
      return convert<float>(tensor, same);
    case DType::f64:
      return convert<double>(tensor, same);
    case DType::f16:
      return convert<uint16_t>(tensor, from_f16);
    case DType::bf16:
      return convert<uint16_t>(tensor, from_bf16);
    case DType::i64:
      return convert<int64_t>(tensor, same);
    case DType::i32:
      return convert<int32_t>(tensor, same);
    case DType::i16:
      return convert<int16_t>(tensor, same);
    case DType::i8:
      return convert<int8_t>(tensor, same);
    default:
      return convert<uint8_t>(tensor, same);
  }
}

std::string shape_text(const std::vector<int64_t>& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

const TensorView* TensorFile::find(const std::string& name) const {
  const auto it = index_.find(name);
  return it == index_.end() ? nullptr : &contents_.tensors[it->second].second;
}

namespace {
// What an unknown file most likely is: the usual accidents of a download.
std::string guess(std::string_view bytes) {
  const size_t start = bytes.find_first_not_of(" \t\r\n");
  if (start == std::string_view::npos) return "it is empty";
  if (bytes[start] == '<') return "it is a web page, so the download went wrong";
  if (bytes.starts_with("version https://git-lfs"))
    return "it is a Git LFS pointer, not the file itself: run git lfs pull";
  return "it is neither safetensors nor a PyTorch .pth file";
}
}  // namespace

TensorFile TensorFile::open(const fs::path& path) {
  TensorFile file(path, MappedFile(path));
  const std::string_view bytes = file.file_.bytes();
  const std::string where = path.string();
  if (looks_like_pth(bytes)) {
    file.contents_ = read_pth(bytes, where);
  } else if (looks_like_safetensors(bytes)) {
    file.contents_ = read_safetensors(bytes, where);
  } else {
    fail(Code::data, "{}: this is no checkpoint: {}; give a safetensors or .pth file", where, guess(bytes));
  }
  file.read_index();
  return file;
}

TensorFile TensorFile::open_weights(const fs::path& path) {
  TensorFile file = open(path);
  const Naming naming = naming_of(file.contents_.tensors);
  if (naming == Naming::official) return file;
  use_official_names(file.contents_, file.file_bytes());
  file.read_index();
  std::error_code ignored;
  if (const fs::path beside = path.parent_path() / "config.json";
      naming != Naming::official && fs::exists(beside, ignored))
    file.contents_.metadata["config.json"] = read_file(beside);
  return file;
}

void TensorFile::read_index() {
  index_.clear();
  for (size_t i = 0; i < contents_.tensors.size(); ++i) index_.emplace(contents_.tensors[i].first, i);
}

}  // namespace simmim
