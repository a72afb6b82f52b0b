#include "weights/inspect.h"

#include <algorithm>

namespace simmim {
namespace {

bool is_floating(DType dtype) {
  return dtype == DType::f32 || dtype == DType::f64 || dtype == DType::f16 || dtype == DType::bf16;
}

// Buffers that the official files carry, and the optimizer's state in ours, are no parameters.
bool is_parameter(const std::string& name, const TensorView& tensor) {
  return is_floating(tensor.dtype) && !name.starts_with("opt.") && name.find("attn_mask") == std::string::npos &&
         name.find("relative_coords_table") == std::string::npos;
}

// A metadata text that is JSON (a configuration, a number) is shown as such.
Json metadata_value(const std::string& text) {
  Json value = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  return value.is_discarded() ? Json(text) : value;
}

}  // namespace

Json describe_file(const TensorFile& file) {
  const auto any = [&](auto&& accepts) {
    return std::any_of(file.tensors().begin(), file.tensors().end(),
                       [&](const auto& entry) { return accepts(entry.first); });
  };
  const bool prefix =
      any([](const std::string& name) { return name.starts_with("encoder.") || name.starts_with("decoder."); });
  const bool ours = any([](const std::string& name) { return name.starts_with("opt."); });
  const bool head = any([](const std::string& name) { return name == "head.weight"; });
  const bool blocks =
      any([](const std::string& name) { return name.find("blocks.0.norm1.weight") != std::string::npos; });
  const bool layers = any([](const std::string& name) { return name.find("layers.0.blocks.0.") != std::string::npos; });

  int64_t parameters = 0;
  Json tensors = Json::array();
  for (const auto& [name, tensor] : file.tensors()) {
    if (is_parameter(name, tensor)) parameters += tensor.count();
    tensors.push_back(
        {{"name", name}, {"dtype", name_of(tensor.dtype)}, {"shape", tensor.shape}, {"elements", tensor.count()}});
  }
  Json metadata = Json::object();
  for (const auto& [key, text] : file.metadata()) metadata[key] = metadata_value(text);
  return {{"path", file.path().string()},
          {"format", file.format()},
          {"bytes", file.file_bytes()},
          {"kind", ours     ? "checkpoint"
                   : prefix ? "pretrain"
                   : head   ? "finetune"
                            : "unknown"},
          {"encoder", layers   ? "swin"
                      : blocks ? "vit"
                               : "unknown"},
          {"tensors_count", tensors.size()},
          {"parameters", parameters},
          {"metadata", std::move(metadata)},
          {"tensors", std::move(tensors)}};
}

}  // namespace simmim
