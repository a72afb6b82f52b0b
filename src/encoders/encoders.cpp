#include "encoders/encoders.h"

#include "encoders/swin.h"
#include "encoders/swinv2.h"
#include "encoders/vit.h"

namespace simmim {
namespace {

template <class V>
std::pair<std::string, Json> preset(const std::string& encoder, typename V::Options options) {
  Json block = {{"name", encoder}};
  block.update(write_fields(options));
  return {options.preset, block};
}

template <class V>
EncoderFamily::value_type row(const char* name, const char* help) {
  return variant<V, Encoder, const Scope&, const EncoderSite&>(name, help);
}

// The block with what follows from the size.
template <class V>
Json settled(const Json& block, int64_t image_size, const std::string& path) {
  typename V::Options options{};
  read_fields(options, block, path, {"name"});
  if (!options.depths.empty()) options.settle(image_size);
  Json out = block;
  out.update(write_fields(options));
  return out;
}

// The sizes in which both versions of Swin come, as presets of encoder V.
template <class V>
void add_swin_presets(std::vector<std::pair<std::string, Json>>& table, const std::string& encoder) {
  const auto add = [&](const std::string& size, const Swin::Options& sizes) {
    typename V::Options options{};
    static_cast<Swin::Options&>(options) = sizes;
    options.preset = encoder + "_" + size;
    table.push_back(preset<V>(encoder, options));
  };
  const auto add_published = [&](const std::string& size, int64_t dim, int64_t depth, int64_t heads) {
    add(size, {.patch = 4,
               .dim = dim,
               .depths = {2, 2, depth, 2},
               .heads = {heads, 2 * heads, 4 * heads, 8 * heads},
               .window = std::nullopt});
  };
  add("nano", {});
  add_published("tiny", 96, 6, 3);
  add_published("small", 96, 18, 3);
  add_published("base", 128, 18, 4);
  add_published("large", 192, 18, 6);
}

std::string text_of(const Json& block, const char* key) {
  const auto it = block.find(key);
  return it != block.end() && it->is_string() ? it->get<std::string>() : "";
}

}  // namespace

const EncoderFamily& encoders() {
  static const EncoderFamily family = {
      row<Vit>("vit", "vision transformer with relative position bias"),
      row<Swin>("swin", "Swin transformer: shifted windows, four scales"),
      row<Swinv2>("swinv2", "Swin V2: cosine attention, continuous position bias, norms after the branches"),
  };
  return family;
}

const std::vector<std::pair<std::string, Json>>& presets() {
  static const std::vector<std::pair<std::string, Json>> table = [] {
    std::vector<std::pair<std::string, Json>> all = {
        preset<Vit>("vit", {.preset = "vit_nano", .patch = 4, .dim = 128, .depth = 6, .heads = 4}),
        preset<Vit>("vit", {.preset = "vit_tiny", .patch = 16, .dim = 192, .depth = 12, .heads = 3}),
        preset<Vit>("vit", {.preset = "vit_small", .patch = 16, .dim = 384, .depth = 12, .heads = 6}),
        preset<Vit>("vit", {.preset = "vit_base", .patch = 16, .dim = 768, .depth = 12, .heads = 12}),
        preset<Vit>("vit", {.preset = "vit_large", .patch = 16, .dim = 1024, .depth = 24, .heads = 16}),
    };
    add_swin_presets<Swin>(all, "swin");
    add_swin_presets<Swinv2>(all, "swinv2");
    return all;
  }();
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
  if (name == "swin") block = settled<Swin>(block, image_size, path);
  if (name == "swinv2") block = settled<Swinv2>(block, image_size, path);
  NamedTensors shapes;  // built without memory: the constructors check what belongs together
  row.make(block, Scope(shapes, {.device = at::kMeta}), EncoderSite{image_size, Stage::pretrain});
  return block;
}

}  // namespace simmim
