#include "config/checkpoint_config.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "core/error.h"

namespace simmim {
namespace {

// A file's shapes, names with or without pre-training's prefix. What a file from elsewhere says is checked here; the
// encoder's own options are checked when it is built.
class Shapes {
 public:
  explicit Shapes(const TensorFile& file) : file_(file) {}

  // The shape of a tensor with so many sides, nullptr if there is none. Code::data if it has others, or an empty one.
  const std::vector<int64_t>* find(const std::string& name, size_t sides) const {
    const TensorView* tensor = view(name);
    if (tensor == nullptr) return nullptr;
    bool fits = tensor->shape.size() == sides;
    for (const int64_t side : tensor->shape) fits = fits && side > 0;
    if (!fits)
      fail(Code::data, "{}: {} has the shape {}; allowed: {} sides, none of them 0", where(), name,
           shape_text(tensor->shape), sides);
    return &tensor->shape;
  }
  const std::vector<int64_t>& need(const std::string& name, size_t sides) const {
    const std::vector<int64_t>* shape = find(name, sides);
    if (shape == nullptr)
      fail(Code::data, "{}: these weights are incomplete: {} is missing; `simmim inspect` lists what is there", where(),
           name);
    return *shape;
  }
  int64_t blocks(const std::string& prefix) const {
    int64_t n = 0;
    while (find(fmt::format("{}blocks.{}.norm1.weight", prefix, n), 1) != nullptr) ++n;
    return n;
  }
  double mlp_ratio(const std::string& block) const {
    const std::vector<int64_t>& hidden = need(block + "mlp.fc1.weight", 2);
    return static_cast<double>(hidden[0]) / static_cast<double>(hidden[1]);
  }
  const TensorView* view(const std::string& name) const {
    const TensorView* tensor = file_.find("encoder." + name);
    return tensor != nullptr ? tensor : file_.find(name);
  }
  std::string where() const { return file_.path().string(); }

 private:
  const TensorFile& file_;
};

// Side of a relative position table of (2n-1)^2 rows.
int64_t window_of(int64_t rows) {
  return (std::llround(std::sqrt(static_cast<double>(std::max<int64_t>(rows, 1)))) + 1) / 2;
}

Json vit_of(const Shapes& shapes, const std::vector<int64_t>& patch_embed) {
  const std::vector<int64_t>* table = shapes.find("rel_pos_bias.relative_position_bias_table", 2);
  if (table == nullptr) table = shapes.find("blocks.0.attn.relative_position_bias_table", 2);
  if (table == nullptr)
    fail(Code::data, "{}: this ViT has no relative position bias, so SimMIM's ViT cannot take its weights",
         shapes.where());
  const int64_t patch = patch_embed[2], grid = window_of((*table)[0] - 3);
  return {{"encoder",
           {{"name", "vit"},
            {"patch", patch},
            {"dim", patch_embed[0]},
            {"depth", shapes.blocks("")},
            {"heads", (*table)[1]},
            {"absolute_position", shapes.view("pos_embed") != nullptr},
            {"layer_scale", shapes.find("blocks.0.gamma_1", 1) != nullptr ? 0.1 : 0.0},
            {"mlp_ratio", shapes.mlp_ratio("blocks.0.")}}},
          {"data", {{"image_size", grid * patch}}}};
}

// The config.json of timm or transformers, if there is one.
Json other_config(const TensorFile& file) {
  const auto it = file.metadata().find("config.json");
  if (it == file.metadata().end()) return Json::object();
  const Json config = Json::parse(it->second, nullptr, /*allow_exceptions=*/false);
  if (!config.is_object())
    fail(Code::data, "{}: this is no JSON object; copy it again from where the weights came from",
         (file.path().parent_path() / "config.json").string());
  return config;
}

// What the config.json of another program says of sizes that not all files show; 0 and empty where it says nothing.
struct StatedSizes {
  int64_t image_size = 0, window = 0;
  std::vector<int64_t> pretrained_window;  // of each stage, perhaps of more
};

// transformers names them; timm has them in the model's name: swinv2_base_window12to16_192to256 was pre-trained with
// windows of 12 tokens on 192 pixels.
StatedSizes stated_sizes(const Json& config, int64_t patch) {
  const auto number = [&](const char* key) {
    const auto it = config.find(key);
    return it != config.end() && it->is_number_integer() ? std::max<int64_t>(0, it->get<int64_t>()) : 0;
  };
  StatedSizes out{.image_size = number("image_size"), .window = number("window_size")};
  if (const auto it = config.find("pretrained_window_sizes"); it != config.end() && it->is_array())
    for (const Json& window : *it)
      out.pretrained_window.push_back(window.is_number_integer() ? window.get<int64_t>() : 0);
  if (std::count(out.pretrained_window.begin(), out.pretrained_window.end(), 0) != 0) out.pretrained_window.clear();
  const auto name = config.find("architecture");
  if (name == config.end() || !name->is_string()) return out;
  const std::string text = *name;
  const size_t at = text.find("window");
  if (at == std::string::npos) return out;
  int from = 0, to = 0, small = 0, large = 0;
  if (std::sscanf(text.c_str() + at, "window%4dto%4d_%4dto%4d", &from, &to, &small, &large) == 4) {
    for (int64_t side = small / patch; side > 0; side /= 2)
      out.pretrained_window.push_back(std::min<int64_t>(from, side));
    return {large, to, out.pretrained_window};
  }
  if (std::sscanf(text.c_str() + at, "window%4d_%4d", &to, &large) == 2) return {large, to, {}};
  return out;
}

// The window w' by which a Swin V2 measures offsets, from its table of coordinates (1,2w-1,2w-1,2): the last of them
// is log2(1 + 8 (w-1)/(w'-1)) / 3 (layers/continuous_bias.h).
int64_t pretrained_window(const TensorView& places) {
  const double last = to_doubles(places).back();
  return last > 0 ? 1 + std::llround(8 * static_cast<double>(places.shape[1] / 2) / (std::exp2(3 * last) - 1)) : 1;
}

Json swin_of(const Shapes& shapes, const std::vector<int64_t>& patch_embed, const StatedSizes& stated) {
  Json depths = Json::array(), heads = Json::array(), pretrained = Json::array();
  int64_t window = 0, last_window = 0, stages = 0;  // windows: 0 where no tensor shows them
  bool second = false;                              // version of Swin
  constexpr int64_t kMaxStages = 16;
  for (; stages <= kMaxStages; ++stages) {
    const int64_t depth = shapes.blocks(fmt::format("layers.{}.", stages));
    if (depth == 0) break;
    const std::string attention = fmt::format("layers.{}.blocks.0.attn.", stages);
    depths.push_back(depth);
    if (const auto* scale = shapes.find(attention + "logit_scale", 3); scale != nullptr) {
      second = true;
      heads.push_back((*scale)[0]);
      const std::vector<int64_t>* places = shapes.find(attention + "relative_coords_table", 4);
      last_window = places != nullptr ? ((*places)[1] + 1) / 2 : 0;
      if (places != nullptr) pretrained.push_back(pretrained_window(*shapes.view(attention + "relative_coords_table")));
    } else {
      const std::vector<int64_t>& table = shapes.need(attention + "relative_position_bias_table", 2);
      last_window = window_of(table[0]);
      heads.push_back(table[1]);
    }
    window = std::max(window, last_window);
  }
  if (stages > kMaxStages)
    fail(Code::data, "{}: more than {} stages; allowed: a Swin of the usual kind", shapes.where(), kMaxStages);
  // The grid shows in the first stage's shift mask (windows, w^2, w^2); without one the last stage has one window.
  const std::vector<int64_t>* shift = shapes.find("layers.0.blocks.1.attn_mask", 3);
  if (window == 0) window = stated.window;
  if (pretrained.empty() && static_cast<int64_t>(stated.pretrained_window.size()) >= stages)
    pretrained = std::vector<int64_t>(stated.pretrained_window.begin(), stated.pretrained_window.begin() + stages);
  const int64_t patch = patch_embed[2];
  const int64_t grid = shift != nullptr ? std::llround(std::sqrt(static_cast<double>((*shift)[0]))) * window
                                        : last_window << (stages - 1);
  Json encoder = {{"name", second ? "swinv2" : "swin"},
                  {"patch", patch},
                  {"dim", patch_embed[0]},
                  {"depths", depths},
                  {"heads", heads},
                  {"absolute_position", shapes.view("absolute_pos_embed") != nullptr},
                  {"mlp_ratio", shapes.mlp_ratio("layers.0.blocks.0.")}};
  if (window > 0) encoder["window"] = window;
  if (!pretrained.empty()) encoder["pretrained_window"] = pretrained;
  const int64_t image_size = stated.image_size > 0 ? stated.image_size : grid * patch;
  return {{"encoder", encoder}, {"data", image_size > 0 ? Json{{"image_size", image_size}} : Json::object()}};
}

// The official mask patch, or the next smaller one that this image size and patch allow.
int64_t mask_patch(int64_t image_size, int64_t patch) {
  int64_t side = std::max<int64_t>(patch, 32 / patch * patch);
  while (side > patch && image_size % side != 0) side -= patch;
  return side;
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
  // A .pth of other programs may have a "config" of its own kind.
  const auto format = file.metadata().find("format");
  const bool ours = file.format() == "safetensors" || (format != file.metadata().end() && format->second == "simmim");
  if (const auto it = file.metadata().find("config"); ours && it != file.metadata().end()) {
    const Json stored = Json::parse(it->second, nullptr, /*allow_exceptions=*/false);
    if (stored.is_object() && stored.contains("encoder") && stored["encoder"].is_object())
      return inherited_config(stored);
  }
  const Shapes shapes(file);
  const std::vector<int64_t>* patch_embed = shapes.find("patch_embed.proj.weight", 4);
  if (patch_embed == nullptr)
    fail(Code::data,
         "{}: no patch_embed.proj.weight, so this is no ViT or Swin checkpoint under the names of SimMIM, timm or "
         "transformers; `simmim inspect` lists what it holds",
         file.path().string());
  const StatedSizes stated = stated_sizes(other_config(file), (*patch_embed)[2]);
  Json config = shapes.find("layers.0.blocks.0.norm1.weight", 1) != nullptr ? swin_of(shapes, *patch_embed, stated)
                                                                            : vit_of(shapes, *patch_embed);
  Json data = config["data"], mask = {{"name", "random"}, {"ratio", 0.6}};
  if (stated.image_size > 0) data["image_size"] = stated.image_size;
  if (data.contains("image_size")) mask["patch"] = mask_patch(data["image_size"], config["encoder"]["patch"]);
  data["mean"] = data["std"] = "imagenet";
  config["data"] = data;
  config["mask"] = mask;
  return config;
}

std::vector<std::string> checkpoint_classes(const TensorFile& file) {
  std::vector<std::string> names;
  if (const auto it = file.metadata().find("classes"); it != file.metadata().end()) {
    const Json stored = parse_json(it->second, file.path().string());
    if (stored.is_array())
      for (const Json& name : stored) names.push_back(name.is_string() ? name.get<std::string>() : name.dump());
    return names;
  }
  const Json by_number = other_config(file).value("id2label", Json::object());
  for (size_t k = 0; by_number.contains(std::to_string(k)) && by_number[std::to_string(k)].is_string(); ++k)
    names.push_back(by_number[std::to_string(k)]);
  return names;
}

bool names_checkpoint_file(const std::string& given) {
  const std::string suffix = fs::path(given).extension();
  return (given.find('/') != std::string::npos && given.find(':') == std::string::npos) || suffix == ".pth" ||
         suffix == ".pt" || suffix == ".pkl" || suffix == ".safetensors";
}

fs::path checkpoint_path(const fs::path& given) {
  std::error_code ignored;
  const fs::path inside = given / "model.safetensors";
  return fs::is_directory(given, ignored) && fs::is_regular_file(inside, ignored) ? inside : given;
}

}  // namespace simmim
