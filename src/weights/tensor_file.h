// Checkpoint files as named tensors. TensorFile reads safetensors (our own format) and PyTorch's .pth, told apart by
// their content; write_safetensors writes ours. Nothing here knows LibTorch, and nothing in a file is ever executed.
#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/files.h"

namespace simmim {

enum class DType { f32, f64, f16, bf16, i64, i32, i16, i8, u8, boolean };

size_t size_of(DType dtype);            // bytes an element
std::string_view name_of(DType dtype);  // as safetensors spells it: "F32", "F64", "F16", "BF16", "I64", ..., "BOOL"

// A tensor that somebody else owns: contiguous (row-major), little endian.
struct TensorView {
  DType dtype = DType::f32;
  std::vector<int64_t> shape;  // empty: a single number
  std::string_view bytes;      // count() * size_of(dtype) bytes

  int64_t count() const;  // elements: the product of the shape, 1 for an empty shape
};

// All elements as double. Exact for every type but i64 beyond 2^53.
std::vector<double> to_doubles(const TensorView& tensor);

std::string shape_text(const std::vector<int64_t>& shape);  // "[49, 2]"

using NamedViews = std::vector<std::pair<std::string, TensorView>>;
using Metadata = std::map<std::string, std::string>;

// What a reader of one format finds. The views point into the file's bytes or into `owned`.
struct FileContents {
  NamedViews tensors;
  Metadata metadata;
  std::deque<std::vector<char>> owned;  // tensors that could not stay views of the file
  std::string_view format;

  FileContents() = default;
  FileContents(FileContents&&) = default;
  FileContents& operator=(FileContents&&) = default;
};

class TensorFile {
 public:
  // safetensors, or a .pth of torch.save in the zip or the older format. The file stays mapped while this lives.
  // Missing, truncated, damaged or of another kind: Code::data, one sentence with the path and what is wrong.
  static TensorFile open(const fs::path& path);

  // The same with official names whatever program wrote the file (weights/names.h), for all that builds a model from
  // it. Of files of timm and transformers the config.json beside it is added to the metadata, under that name.
  static TensorFile open_weights(const fs::path& path);

  // In the file's order (safetensors: of the header). Of a .pth: the entries of "model" (or "state_dict",
  // "model_state_dict"), else the top-level dictionary itself; the optimizer's state is left out. A module that was
  // pickled whole, as DALL-E's encoder.pkl, gives what its state_dict() would.
  // The bytes are aligned to the element size and live as long as this object, moves included.
  const NamedViews& tensors() const& { return contents_.tensors; }
  void tensors() && = delete;                             // they would not outlive the statement
  const TensorView* find(const std::string& name) const;  // nullptr if there is none

  // safetensors: its __metadata__. Of a .pth: that of write_pth, the top-level texts, the numbers as JSON spells them
  // ("epoch", "max_accuracy"), and "config" and "args" as JSON objects; of a whole module its own attributes of these
  // kinds.
  const Metadata& metadata() const { return contents_.metadata; }

  std::string_view format() const { return contents_.format; }  // "safetensors", "pth" or "legacy pth"
  const fs::path& path() const { return path_; }
  uint64_t file_bytes() const { return file_.bytes().size(); }

 private:
  TensorFile(fs::path path, MappedFile file) : path_(std::move(path)), file_(std::move(file)) {}
  void read_index();

  fs::path path_;
  MappedFile file_;
  FileContents contents_;
  std::unordered_map<std::string, size_t> index_;
};

// Writes a safetensors file, whole or absent (see write_file_atomically), tensor by tensor without gathering them in
// memory. The header lists the tensors in the order given; the data lie by element size, widest first, from a
// multiple of 64 bytes on, so that every tensor is aligned to its elements. Equal input gives equal bytes. A name
// that stands twice, or bytes that do not fit the shape, are bugs of the caller (SIMMIM_CHECK).
void write_safetensors(const fs::path& path, const NamedViews& tensors, const Metadata& metadata = {});

// Writes a .pth that torch.load reads, {"model": the tensors, "simmim": the metadata}, whole or absent; at most 4 GiB
// (Code::usage).
void write_pth(const fs::path& path, const NamedViews& tensors, const Metadata& metadata = {});

}  // namespace simmim
