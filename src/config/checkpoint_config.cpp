#include "config/checkpoint_config.h"

#include <cmath>

#include "core/error.h"

namespace simmim {
namespace {

// Looks a name up with and without pre-training's prefix.
const TensorView* find(const TensorFile& file, const std::string& name) {
  const TensorView* found = file.find("encoder." + name);
  return found != nullptr ? found : file.find(name);
}

int64_t count_blocks(const TensorFile& file, const std::string& prefix) {
  int64_t n = 0;
  while (find(file, fmt::format("{}blocks.{}.norm1.weight", prefix, n)) != nullptr) ++n;
  return n;
}

// Side of a relative position table of (2n-1)^2 rows.
int64_t window_of(int64_t rows) { return (std::llround(std::sqrt(static_cast<double>(rows))) + 1) / 2; }

Json vit_of(const TensorFile& file, const TensorView& patch_embed) {
  const TensorView* table = find(file, "rel_pos_bias.relative_position_bias_table");
  if (table == nullptr) table = find(file, "blocks.0.attn.relative_position_bias_table");
  if (table == nullptr)
    fail(Code::data, "{}: this ViT has no relative position bias, so SimMIM's ViT cannot take its weights",
         file.path().string());
  const int64_t patch = patch_embed.shape[2], grid = window_of(table->shape[0] - 3);
  const TensorView* hidden = find(file, "blocks.0.mlp.fc1.weight");
  return {{"encoder",
           {{"name", "vit"},
            {"patch", patch},
            {"dim", patch_embed.shape[0]},
            {"depth", count_blocks(file, "")},
            {"heads", table->shape[1]},
            {"layer_scale", find(file, "blocks.0.gamma_1") != nullptr ? 0.1 : 0.0},
            {"mlp_ratio",
             hidden != nullptr ? static_cast<double>(hidden->shape[0]) / static_cast<double>(hidden->shape[1]) : 4.0}}},
          {"data", {{"image_size", grid * patch}}}};
}

Json swin_of(const TensorFile& file, const TensorView& patch_embed) {
  Json depths = Json::array(), heads = Json::array();
  int64_t window = 0;
  for (int64_t stage = 0;; ++stage) {
    const int64_t depth = count_blocks(file, fmt::format("layers.{}.", stage));
    if (depth == 0) break;
    const TensorView* table = find(file, fmt::format("layers.{}.blocks.0.attn.relative_position_bias_table", stage));
    if (table == nullptr) fail(Code::data, "{}: stage {} has no relative position table", file.path().string(), stage);
    depths.push_back(depth);
    heads.push_back(table->shape[1]);
    window = std::max(window, window_of(table->shape[0]));
  }
  // The grid shows in the first stage's shift mask (windows, w^2, w^2); without one the window covers an eighth of it.
  const TensorView* shift = find(file, "layers.0.blocks.1.attn_mask");
  const int64_t patch = patch_embed.shape[2];
  const int64_t grid =
      shift != nullptr ? std::llround(std::sqrt(static_cast<double>(shift->shape[0]))) * window : 8 * window;
  return {{"encoder",
           {{"name", "swin"},
            {"patch", patch},
            {"dim", patch_embed.shape[0]},
            {"depths", depths},
            {"heads", heads},
            {"window", window}}},
          {"data", {{"image_size", grid * patch}}}};
}

}  // namespace

Json inherited_config(const Json& stage_config) {
  Json out = Json::object();
  for (const std::string section : {"encoder", "data", "mask", "head", "target", "loss"})
    if (stage_config.contains(section)) out[section] = stage_config[section];
  if (out.contains("encoder")) out["encoder"].erase("drop_path");
  if (out.contains("target") && out["target"].contains("centers")) out["target"]["centers"] = "checkpoint";
  return out;
}

Json checkpoint_config(const TensorFile& file) {
  if (const auto it = file.metadata().find("config"); file.format() == "safetensors" && it != file.metadata().end())
    return inherited_config(parse_json(it->second, file.path().string()));
  const TensorView* patch_embed = find(file, "patch_embed.proj.weight");
  if (patch_embed == nullptr || patch_embed->shape.size() != 4)
    fail(Code::data,
         "{}: no patch_embed.proj.weight, so this is no ViT or Swin checkpoint under the official names; `simmim "
         "inspect` lists what it holds",
         file.path().string());
  Json config = find(file, "layers.0.blocks.0.norm1.weight") != nullptr ? swin_of(file, *patch_embed)
                                                                        : vit_of(file, *patch_embed);
  config["data"]["mean"] = config["data"]["std"] = "imagenet";
  if (file.find("decoder.0.weight") != nullptr) config["mask"] = {{"name", "random"}, {"patch", 32}, {"ratio", 0.6}};
  return config;
}

}  // namespace simmim
