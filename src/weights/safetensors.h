// The safetensors format: u64 header length, JSON header, data (huggingface.co/docs/safetensors). Internal to weights/;
// use TensorFile and write_safetensors.
#pragma once
#include <string>
#include <string_view>

#include "weights/tensor_file.h"

namespace simmim {

// Whether the bytes begin like a safetensors file: a length, then '{'.
bool looks_like_safetensors(std::string_view bytes);

// Every rule of the format is checked (duplicate names, unknown types, holes, overlaps, bytes that do not fit the
// shape, data missing or left over, a header beyond 100 MB); a file that breaks one is Code::data with `where`.
FileContents read_safetensors(std::string_view bytes, const std::string& where);

}  // namespace simmim
