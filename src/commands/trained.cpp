// eval, predict and reconstruct: what one does with a trained model.
#include "commands/commands.h"
#include "commands/images.h"
#include "config/checkpoint_config.h"
#include "core/error.h"
#include "model/simmim.h"
#include "runs/run_folder.h"
#include "train/evaluate.h"
#include "train/reconstruct.h"
#include "train/tensors.h"

namespace simmim {
namespace {

constexpr int64_t kBatch = 64;

// A classifier with its weights and the names of its classes.
struct TrainedClassifier {
  TrainedModel trained;
  StageSetup setup;
  std::unique_ptr<Classifier> model;
  std::vector<std::string> class_names;
};

void say(const std::vector<std::string>& sentences, const EventSink& sink) {
  for (const std::string& sentence : sentences) sink({{"event", "message"}, {"text", sentence}});
}

TrainedClassifier load_classifier(const Json& request, bool needs_data, const EventSink& sink) {
  TrainedClassifier out{.trained = trained_model(resolve_request(request), "finetune")};
  if (needs_data) say(out.trained.warnings, sink);
  const TensorFile file = TensorFile::open_weights(out.trained.weights);
  const TensorView* head = file.find("head.weight");
  if (head == nullptr)
    fail(Code::usage,
         "--from {}: this is a pre-trained model without a classifier; fine-tune it first: simmim finetune --from {}",
         request.value("from", ""), request.value("from", ""));
  out.setup = make_setup(out.trained.config, site_data_folder(), needs_data);
  out.model = std::make_unique<Classifier>(out.trained.config, head->shape[0], out.setup.context);
  load_weights(out.model->parameters(), file, {}, {});
  out.class_names = checkpoint_classes(file);
  for (auto k = static_cast<int64_t>(out.class_names.size()); k < head->shape[0]; ++k)
    out.class_names.push_back(std::to_string(k));
  return out;
}

// A mask that is drawn says the mask patch by its own size, unless the command says another or none fits.
void fit_mask_patch(Json& config, const Json& request, const Image& drawn) {
  const Merged asked = merge_layers(layers_of(request.value("layers", Json::array())));
  const int64_t image_size = config["data"]["image_size"], encoder_patch = config["encoder"]["patch"];
  const int64_t patch = image_size / drawn.h;
  if (find_path(asked.config, "mask.patch") == nullptr && patch * drawn.h == image_size && patch % encoder_patch == 0 &&
      patch > 0)
    config["mask"]["patch"] = patch;
}

bool names_a_split(const std::vector<std::string>& images) {
  for (const std::string& word : images)
    for (const Split split : kSplits)
      if (word.starts_with(std::string(split_name(split)) + ":")) return true;
  return false;
}

}  // namespace

Json eval_command(const Json& request, const EventSink& sink) {
  const TrainedClassifier trained = load_classifier(request, true, sink);
  const Dataset& dataset = *trained.setup.dataset;
  const auto classes = static_cast<int64_t>(trained.class_names.size());
  if (dataset.classes() != classes)
    fail(Code::usage, "data.name: {} has {} classes, the classifier {}; name the data it was trained for",
         trained.setup.data.name, dataset.classes(), classes);
  if (!dataset.has(Split::test))
    fail(Code::usage, "data.test: {} has no test images; name some", trained.setup.data.name);
  const Evaluation evaluation = evaluate(*trained.model, trained.setup, Split::test, kBatch);
  Json out = {{"from", request.value("from", "")}};
  out.update(evaluation.to_json(dataset.class_names()));
  const fs::path folder =
      trained.trained.run.empty() ? fs::path() : run_path(request.value("out", "results"), trained.trained.run);
  if (!folder.empty() && request.value("layers", Json::array()).empty()) {
    evaluation.save(folder / "eval.safetensors");
    out["predictions"] = (folder / "eval.safetensors").string();
  }
  return out;
}

Json predict_command(const Json& request, const EventSink& sink) {
  const auto words = request.at("images").get<std::vector<std::string>>();
  const TrainedClassifier trained = load_classifier(request, names_a_split(words), sink);
  const NamedPixels images = read_images(words, trained.setup);
  const at::NoGradGuard no_grad;
  Json out = Json::array();
  const auto n = static_cast<int64_t>(images.names.size());
  for (int64_t first = 0; first < n; first += kBatch) {
    const int64_t last = std::min(n, first + kBatch);
    const Tensor logits = trained.model->logits(trained.setup.normalise(images.pixels, first, last), StepContext{})
                              .to(at::kCPU)
                              .to(at::kDouble)
                              .contiguous();
    const Tensor probability = at::softmax(logits, 1);
    const auto [values, order] = probability.topk(std::min<int64_t>(5, logits.size(1)), 1);
    for (int64_t i = 0; i < last - first; ++i) {
      Json entry = {{"image", images.names[static_cast<size_t>(first + i)]}, {"top5", Json::array()}};
      for (int64_t k = 0; k < values.size(1); ++k)
        entry["top5"].push_back({{"class", trained.class_names[static_cast<size_t>(order[i][k].item<int64_t>())]},
                                 {"probability", values[i][k].item<double>()}});
      entry["class"] = entry["top5"][0]["class"];
      entry["probability"] = entry["top5"][0]["probability"];
      const double* row = logits.data_ptr<double>() + i * logits.size(1);
      entry["logits"] = std::vector<double>(row, row + logits.size(1));
      out.push_back(std::move(entry));
    }
  }
  return {{"images", std::move(out)}};
}

Json reconstruct_command(const Json& request, const EventSink& sink) {
  TrainedModel trained = trained_model(resolve_request(request), "pretrain");
  const auto words = request.at("images").get<std::vector<std::string>>();
  if (names_a_split(words)) say(trained.warnings, sink);
  const TensorFile file = TensorFile::open_weights(trained.weights);
  if (std::none_of(file.tensors().begin(), file.tensors().end(),
                   [](const auto& entry) { return entry.first.starts_with("decoder."); }))
    fail(Code::usage, "--from {}: this checkpoint has no prediction head; name a pre-trained run or its file",
         request.value("from", ""));
  const std::string mask_file = request.value("mask", "");
  const Image drawn = mask_file.empty() ? Image() : decode_image_file(mask_file);
  if (!mask_file.empty()) fit_mask_patch(trained.config, request, drawn);
  const StageSetup setup = make_setup(trained.config, site_data_folder(), names_a_split(words));
  const SimMim model(trained.config, setup.context);
  load_weights(joined(model.parameters(), model.target().constants()), file, {}, {});
  const NamedPixels images = read_images(words, setup);
  const auto n = static_cast<int64_t>(images.names.size());
  const Grid grid = model.mask_grid();
  std::vector<Mask> masks;
  if (!mask_file.empty()) {
    masks.assign(static_cast<size_t>(n), mask_of(drawn, grid, mask_file));
  } else {
    const std::unique_ptr<MaskGenerator> generator = make_masks(trained.config);
    for (int64_t i = 0; i < n; ++i) {
      Rng rng(setup.seed, "reconstruct mask", 0, static_cast<uint64_t>(i));
      masks.push_back(generator->generate(rng));
    }
  }
  Sheet sheet;
  for (int64_t first = 0; first < n; first += kBatch) {
    const int64_t last = std::min(n, first + kBatch);
    add_to_sheet(sheet, model, setup, setup.normalise(images.pixels, first, last),
                 mask_tensor({masks.begin() + first, masks.begin() + last}, grid));
  }
  const std::string output = request.value("output", "reconstruction.png");
  write_file_atomically(output, encode_png(draw_sheet(sheet)));
  Json out = {{"output", output}, {"columns", "input, masked, predicted, pasted"}, {"images", Json::array()}};
  for (size_t i = 0; i < static_cast<size_t>(n); ++i) {
    Json entry = {{"image", images.names[i]}, {"ratio", masked_share(masks[i])}};
    entry.update(sheet.measures[i]);
    out["images"].push_back(std::move(entry));
  }
  return out;
}

}  // namespace simmim
