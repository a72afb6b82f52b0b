#include "config/origin.h"

#include "config/checkpoint_config.h"
#include "core/error.h"
#include "core/hash.h"
#include "runs/run_folder.h"

namespace simmim {
namespace {

Origin origin_of_run(const fs::path& out, const std::string& text, const std::string& latest_kind) {
  const auto at = text.rfind('@');
  const std::string name = text.substr(0, at);
  const std::string id = resolve_run(out, name, name == "latest" ? latest_kind : "");
  const fs::path folder = run_path(out, id);
  const fs::path file = folder / (at == std::string::npos ? "final.safetensors"
                                                          : fmt::format("epoch-{}.safetensors", text.substr(at + 1)));
  if (!fs::exists(file))
    fail(Code::usage, "--from {}: run {} has no {}; {}", text, id, file.filename().string(),
         at == std::string::npos ? "finish it first with the command that started it"
                                 : "set keep_epochs to keep the weights of epochs");
  const Json config = read_json_file(folder / "config.json");
  Origin origin{.parent = id,
                .unversioned = config.value("unversioned", id),
                .file = file.string(),
                .inherited = inherited_config(config.at("config"))};
  if (at != std::string::npos) origin.determines["epoch"] = text.substr(at + 1);
  return origin;
}

}  // namespace

Origin origin_of(const fs::path& out, const std::string& from, const std::string& latest_kind) {
  if (from.empty() || from == "scratch" || from == "pretrain") return {};
  std::error_code ignored;
  const fs::path path = checkpoint_path(from);
  if (!fs::is_regular_file(path, ignored)) {
    if (names_checkpoint_file(from))
      fail(Code::data, "--from {}: no such file; give a checkpoint file or a run (simmim runs)", from);
    return origin_of_run(out, from, latest_kind);
  }
  const TensorFile file = TensorFile::open_weights(path);
  return {.parent = "",
          .unversioned = "",
          .file = fs::absolute(path).string(),
          .determines = {{"from", hash_file_hex(path)}},
          .inherited = checkpoint_config(file)};
}

Layer inherited_layer(const Origin& origin, const std::string& from, const std::string& stage,
                      const std::vector<Layer>& above) {
  Layer layer{from, origin.inherited};
  const Merged asked = merge_layers(above);
  for (const std::string& path : std::vector<std::string>{"data.image_size", stage + ".data.image_size"}) {
    const Json* size = find_path(asked.config, path);
    if (size != nullptr && layer.config.contains("encoder") &&
        layer.config.value("data", Json::object()).value("image_size", Json()) != *size)
      layer.config["encoder"].erase("window");
  }
  return layer;
}

void need_sizes(const Origin& origin, const std::string& from, const std::string& stage, const Json& config) {
  for (const std::string key : {"encoder.window", "data.image_size"})
    if (origin.inherited["encoder"].value("name", "") == "swinv2" && !find_path(origin.inherited, key) &&
        !find_path(config, key) && !find_path(config, stage + "." + key))
      fail(Code::usage,
           "--from {}: this file of a Swin V2 does not say its window and image size; give encoder.window and "
           "data.image_size (8 and 256 for one called window8_256)",
           from);
}

}  // namespace simmim
