#include "weights/inspect.h"

#include <algorithm>

#include "weights/names.h"

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
  FileContents official;
  official.tensors = file.tensors();
  use_official_names(official, file.file_bytes());
  const auto any = [&](auto&& accepts) {
    return std::any_of(official.tensors.begin(), official.tensors.end(),
                       [&](const auto& entry) { return accepts(std::string_view(entry.first)); });
  };
  const auto begins = [&](std::string_view part) {
    return any([&](std::string_view name) { return name.starts_with(part); });
  };
  const auto holds = [&](std::string_view part) {
    return any([&](std::string_view name) { return name.find(part) != std::string_view::npos; });
  };
  const bool swin = holds("layers.0.blocks.0."), vit = !swin && holds("blocks.0.norm1.weight");
  const bool tokenizer = file.find("blocks.input.w") != nullptr && file.find("blocks.output.conv.w") != nullptr;
  const char* kind = tokenizer            ? "discrete VAE"
                     : begins("opt.")     ? "checkpoint"
                     : begins("decoder.") ? "pretrain"
                     : begins("head.")    ? "finetune"
                     : swin || vit        ? "features"
                                          : "unknown";

  const Naming naming = naming_of(file.tensors());
  // timm's Beit has the official names, but no prefix and no buffers.
  const bool as_in_timm = vit && naming == Naming::official && !begins("encoder.") && !holds("relative_position_index");
  const std::string_view names = as_in_timm ? "simmim or timm" : swin || vit ? name_of(naming) : "unknown";
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
          {"names", names},
          {"bytes", file.file_bytes()},
          {"kind", kind},
          {"encoder", tokenizer                       ? "none"
                      : swin && holds(".logit_scale") ? "swinv2"
                      : swin                          ? "swin"
                      : vit                           ? "vit"
                                                      : "unknown"},
          {"tensors_count", tensors.size()},
          {"parameters", parameters},
          {"metadata", std::move(metadata)},
          {"tensors", std::move(tensors)}};
}

}  // namespace simmim
