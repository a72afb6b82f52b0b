#include "weights/inspect.h"

#include "commands/commands.h"
#include "config/checkpoint_config.h"
#include "core/error.h"

namespace simmim {
namespace {

// The encoder and image size that the weights would be built as.
Json model_of(const fs::path& path) {
  try {
    const TensorFile file = TensorFile::open_weights(path);
    if (const TensorView* words = file.find("blocks.output.conv.w"); words != nullptr && !words->shape.empty())
      return {{"vocabulary", words->shape[0]}, {"use", "target.name=dvae_tokens target.tokenizer=" + path.string()}};
    const Json config = checkpoint_config(file);
    Json model = config.value("encoder", Json::object());
    model["image_size"] = config.value("data", Json::object()).value("image_size", Json());
    if (const std::vector<std::string> classes = checkpoint_classes(file); !classes.empty()) model["classes"] = classes;
    return model;
  } catch (const Error& error) {
    return error.what();
  }
}

}  // namespace

Json inspect_command(const Json& request, const EventSink&) {
  const std::string given = request.at("file"), out = request.value("out", "results");
  std::error_code ignored;
  const bool there = fs::exists(given, ignored);
  if (!there && names_checkpoint_file(given))
    fail(Code::data, "{}: no such file; give a checkpoint file or a run (simmim runs)", given);
  const fs::path path = there ? checkpoint_path(given) : run_path(out, resolve_run(out, given)) / "final.safetensors";
  Json answer = describe_file(TensorFile::open(path));
  Json tensors = std::move(answer["tensors"]);
  answer.erase("tensors");
  answer["model"] = model_of(path);
  answer["tensors"] = std::move(tensors);  // last: there are many
  return answer;
}

}  // namespace simmim
