// PyTorch's .pth files (torch.save): the zip format and the older one. Internal to weights/; use TensorFile.
#pragma once
#include <string>
#include <string_view>

#include "weights/tensor_file.h"

namespace simmim {

// Whether the bytes begin like a zip archive or like a pickle of torch.save before 1.6.
bool looks_like_pth(std::string_view bytes);

// See TensorFile. A file that is cut off or damaged is Code::data with `where`.
FileContents read_pth(std::string_view bytes, const std::string& where);

}  // namespace simmim
