#include "encoders/encoders.h"

#include "encoders/swin.h"
#include "encoders/vit.h"

namespace simmim {
namespace {

template <class V>
std::pair<std::string, Json> preset(const std::string& encoder, typename V::Options options) {
  Json block = {{"name", encoder}};
  block.update(write_fields(options));
  return {options.preset, block};
}

std::string text_of(const Json& block, const char* key) {
  const auto it = block.find(key);
  return it != block.end() && it->is_string() ? it->get<std::string>() : "";
}

}  // namespace

const EncoderFamily& encoders() {
  static const EncoderFamily family = {
      variant<Vit, Encoder, const Scope&, const EncoderSite&>("vit", "vision transformer with relative position bias"),
      variant<Swin, Encoder, const Scope&, const EncoderSite&>("swin",
                                                               "Swin transformer: shifted windows, four scales"),
  };
  return family;
}

const std::vector<std::pair<std::string, Json>>& presets() {
  static const std::vector<std::pair<std::string, Json>> table = {
      preset<Vit>("vit", {.preset = "vit_nano", .patch = 4, .dim = 128, .depth = 6, .heads = 4}),
      preset<Vit>("vit", {.preset = "vit_tiny", .patch = 16, .dim = 192, .depth = 12, .heads = 3}),
      preset<Vit>("vit", {.preset = "vit_small", .patch = 16, .dim = 384, .depth = 12, .heads = 6}),
      preset<Vit>("vit", {.preset = "vit_base", .patch = 16, .dim = 768, .depth = 12, .heads = 12}),
      preset<Vit>("vit", {.preset = "vit_large", .patch = 16, .dim = 1024, .depth = 24, .heads = 16}),
      preset<Swin>("swin", {.preset = "swin_nano"}),
      preset<Swin>("swin", {.preset = "swin_tiny",
                            .patch = 4,
                            .dim = 96,
                            .depths = {2, 2, 6, 2},
                            .heads = {3, 6, 12, 24},
                            .window = std::nullopt}),
      preset<Swin>("swin", {.preset = "swin_base",
                            .patch = 4,
                            .dim = 128,
                            .depths = {2, 2, 18, 2},
                            .heads = {4, 8, 16, 32},
                            .window = std::nullopt}),
      preset<Swin>("swin", {.preset = "swin_large",
                            .patch = 4,
                            .dim = 192,
                            .depths = {2, 2, 18, 2},
                            .heads = {6, 12, 24, 48},
                            .window = std::nullopt}),
  };
  return table;
}

Json resolve_encoder(const Json& given, int64_t image_size, const std::string& path) {
  if (!given.is_object()) fail(Code::usage, "{}: got {}; allowed: an object", path, given.dump());
  std::string name = text_of(given, "name"), preset_name = text_of(given, "preset");
  if (preset_name.empty()) preset_name = (name.empty() ? "vit" : name) + "_nano";
  Json block = {{"name", name}};
  std::vector<std::string> known;
  for (const auto& [key, filled] : presets()) {
    known.push_back(key);
    if (key == preset_name) block = filled;
  }
  if (given.contains("preset") && std::find(known.begin(), known.end(), preset_name) == known.end())
    fail(Code::usage, "{}.preset: unknown name '{}'{}", path, preset_name, unknown_name_hint(preset_name, known));
  if (!name.empty() && given.contains("preset") && name != text_of(block, "name"))
    fail(Code::usage, "{}.preset: '{}' is not a {}; leave {}.name out or take a preset of it", path, preset_name, name,
         path);
  if (name.empty()) name = text_of(block, "name");
  block.update(given);
  block["name"] = name;
  const auto& row = find_variant(encoders(), block, path);
  block = row.resolve(block, path);
  if (name == "swin") {
    Swin::Options options{};
    read_fields(options, block, path, {"name"});
    if (!options.depths.empty()) block["window"] = options.window_at(image_size);
  }
  NamedTensors shapes;  // built without memory: the constructors check what belongs together
  row.make(block, Scope(shapes, {.device = at::kMeta}), EncoderSite{image_size, Stage::pretrain});
  return block;
}

}  // namespace simmim
