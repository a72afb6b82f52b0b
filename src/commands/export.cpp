// export and import: a trained model's weights under the names of another program, or another program's under ours.
#include <algorithm>

#include "commands/commands.h"
#include "config/checkpoint_config.h"
#include "config/origin.h"
#include "config/other_programs.h"
#include "core/error.h"
#include "encoders/encoders.h"
#include "model/classifier.h"
#include "model/simmim.h"
#include "train/stages.h"
#include "train/tensors.h"
#include "weights/adapt.h"

namespace simmim {
namespace {

// What a file holds, in our names: all of it fits one model.
struct Weights {
  std::string stage;  // "pretrain" or "finetune"
  Json config;
  std::vector<std::string> classes;
  Adapted adapted;
  std::deque<std::vector<float>> resized;  // the tables of another size, which adapt makes in f64
};

bool any_begins(const TensorFile& file, const std::string& beginning) {
  return std::any_of(file.tensors().begin(), file.tensors().end(),
                     [&](const auto& entry) { return entry.first.starts_with(beginning); });
}

Weights read_weights(const TensorFile& file, ResolveRequest request) {
  const std::string where = file.path().string();
  const TensorView* head = file.find("head.weight");
  const bool classifies =
      !any_begins(file, "encoder.") && (head != nullptr || any_begins(file, "blocks.0.attn.relative_position_bias"));
  if (head != nullptr && (head->shape.size() != 2 || head->shape[0] < 1))
    fail(Code::data, "{}: head.weight has the shape {}; allowed: (classes, channels)", where, shape_text(head->shape));
  Weights out{.stage = classifies ? "finetune" : "pretrain"};
  request.from = where;
  out.config = trained_model(request, out.stage).config;

  // Without memory: only names and shapes are asked for. What a part of a model lacks as a whole stays out.
  const ModelContext meta{.device = at::kMeta};
  std::vector<std::string> absent;
  const auto adapt_to = [&](const NamedTensors& parameters) {
    std::vector<Wanted> wanted;
    for (const auto& [name, parameter] : parameters) wanted.push_back({name, parameter.sizes().vec()});
    out.adapted = adapt(file.tensors(), wanted);
    require_complete(out.adapted, where, absent, {"lm_head."});
  };
  if (classifies) {
    if (head == nullptr) absent.push_back("head.");
    const int64_t classes = head != nullptr ? head->shape[0] : 1;
    if (head != nullptr) out.classes = checkpoint_classes(file);
    if (head != nullptr)
      for (auto k = static_cast<int64_t>(out.classes.size()); k < classes; ++k)
        out.classes.push_back(std::to_string(k));
    out.classes.resize(head != nullptr ? static_cast<size_t>(classes) : 0);
    adapt_to(Classifier(out.config, classes, meta).parameters());
  } else {
    if (!any_begins(file, "decoder.")) absent.push_back("decoder.");
    if (file.find("encoder.mask_token") == nullptr) absent.push_back("encoder.mask_token");
    if (!any_begins(file, "target.")) absent.push_back("target.");
    const SimMim model(out.config, meta);
    adapt_to(joined(model.parameters(), model.target().constants()));
  }
  // Of the data only what the checkpoint itself knew; the rest are defaults for other images.
  const Json known = checkpoint_config(file).value("data", Json::object());
  Json data = Json::object();
  for (const auto& [key, value] : out.config["data"].items())
    if (known.contains(key)) data[key] = value;
  data["image_size"] = out.config["data"]["image_size"];
  out.config["data"] = std::move(data);

  for (auto& [name, view] : out.adapted.tensors) {
    if (std::find(out.adapted.resized.begin(), out.adapted.resized.end(), name) == out.adapted.resized.end()) continue;
    const std::vector<double> values = to_doubles(view);
    const std::vector<float>& table = out.resized.emplace_back(values.begin(), values.end());
    view.dtype = DType::f32;
    view.bytes = {reinterpret_cast<const char*>(table.data()), table.size() * sizeof(float)};
  }
  return out;
}

// The buffers of the official state dict, on the CPU.
NamedTensors official_buffers(const Json& config, const std::string& stage) {
  NamedTensors parameters, out;
  const Json& block = config.at("encoder");
  const bool pretrains = stage == "pretrain";
  const auto encoder = find_variant(encoders(), block, "encoder")
                           .make(block, Scope(parameters, {}),
                                 EncoderSite{config.at("data").at("image_size").get<int64_t>(),
                                             pretrains ? Stage::pretrain : Stage::finetune});
  for (const auto& [name, buffer] : encoder->buffers()) out.emplace_back((pretrains ? "encoder." : "") + name, buffer);
  return out;
}

void write(const fs::path& path, const NamedViews& tensors, const Metadata& metadata) {
  if (path.extension() == ".pth")
    write_pth(path, tensors, metadata);
  else
    write_safetensors(path, tensors, metadata);
}

}  // namespace

Json export_command(const Json& request, const EventSink&) {
  const ResolveRequest resolve = resolve_request(request);
  const std::string format = request.value("format", "safetensors"), output = request.at("output");
  const Origin origin = origin_of(resolve.out, resolve.from, "");
  if (origin.file.empty()) fail(Code::usage, "--from: name a run or a checkpoint file");
  const TensorFile file = TensorFile::open_weights(origin.file);
  const Weights weights = read_weights(file, resolve);
  Metadata metadata = describe_weights(weights.config, weights.classes);
  NamedViews tensors = weights.adapted.tensors;
  Json out = {{"output", output}, {"format", format}, {"kind", weights.stage}};
  std::vector<std::string> left_out;
  std::vector<Tensor> keep;
  fs::path path = output;
  if (format != "safetensors" && path.extension() != ".pth") metadata["format"] = "pt";  // transformers asks for it
  if (format == "simmim") {
    // The official state dict has no constants of a target.
    const auto constant = [](const auto& entry) { return entry.first.starts_with("target."); };
    for (const auto& entry : tensors)
      if (constant(entry)) left_out.push_back(entry.first);
    std::erase_if(tensors, constant);
    for (auto& buffer : views_of(official_buffers(weights.config, weights.stage), keep))
      tensors.push_back(std::move(buffer));
    out["load"] = path.extension() == ".pth"
                      ? fmt::format("model.load_state_dict(torch.load('{}')['model'])", output)
                      : fmt::format("model.load_state_dict(safetensors.torch.load_file('{}'))", output);
  } else if (format == "timm" || format == "hf") {
    const bool timm = format == "timm";
    const OtherModel other = (timm ? timm_model : hf_model)(weights.config, weights.classes);
    Renamed renamed = rename_for(tensors, other.room);
    tensors = std::move(renamed.tensors);
    left_out = std::move(renamed.left_out);
    metadata["model"] = other.name;
    metadata["model_config"] = other.config.dump();
    out["model"] = other.name;
    out["model_config"] = other.config;
    if (timm) {
      out["load"] = fmt::format(
          "f = '{}'; timm.create_model('{}', checkpoint_path=f, "
          "**json.loads(safetensors.safe_open(f, 'pt').metadata()['model_config']))",
          output, other.name);
    } else {
      out["load"] = fmt::format("transformers.{}.from_pretrained('{}')", other.name, output);
      if (path.extension() != ".safetensors") {
        make_folder(path);
        write_file_atomically(path / "config.json", other.config.dump(2) + "\n");
        path /= "model.safetensors";
      }
    }
  }
  write(path, tensors, metadata);
  out["tensors"] = tensors.size();
  out["left_out"] = left_out;
  out["notes"] = weights.adapted.notes;
  return out;
}

}  // namespace simmim
