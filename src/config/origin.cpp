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
    if (const std::string suffix = path.extension(); suffix == ".pth" || suffix == ".safetensors")
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

}  // namespace simmim
