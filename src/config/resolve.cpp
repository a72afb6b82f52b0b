#include "config/resolve.h"

#include "config/idle_options.h"
#include "config/origin.h"
#include "config/plan.h"
#include "config/run_id.h"
#include "config/sections.h"
#include "config/settle.h"
#include "config/weights_fit.h"
#include "core/hash.h"
#include "encoders/encoders.h"
#include "model/classifier.h"

namespace simmim {
namespace {

// Everything about one stage of one request.
class StageResolver {
 public:
  StageResolver(const ResolveRequest& request, const std::string& stage, std::vector<std::string>& warnings)
      : request_(request), stage_(stage), warnings_(warnings) {}

  // earlier: the stages of this request that are resolved already.
  Json resolve(const Json& earlier) {
    const Json block = resolve_model(earlier);
    if (stage_ == "pretrain") {
      settle_files("target");
      resolve_training<PretrainOptions>(block);
    }
    if (stage_ == "finetune") resolve_training<FinetuneOptions>(block);
    if (stage_ == "probe") resolve_probe(block);
    check_weights();
    refuse_idle_options(config_, merged_, request_.layers);
    return entry();
  }

  // All but the stage's own block, which it returns as given; needs no data set.
  Json resolve_model(const Json& earlier) {
    merge_request(earlier);
    top_ = TopOptions{};
    Json top = Json::object();
    for (const std::string key : {"seed", "device", "precision"})
      if (merged_.config.contains(key)) top[key] = merged_.config[key];
    read_fields(top_, top, "");

    Json block = merged_.config.value(stage_, Json::object());
    const Json data_block = merge(merged_.config.value("data", Json::object()), take(block, "data"));
    const Json encoder_block = merge(merged_.config.value("encoder", Json::object()), take(block, "encoder"));

    config_ = {{"stage", stage_}, {"seed", top_.seed}, {"device", top_.device}};
    config_["precision"] = settle_precision(top_.precision, stage_, top_.device);
    MethodOptions method;
    read_fields(method, merged_.config.value("method", Json::object()), "method");
    if (stage_ == "pretrain") config_["method"] = write_fields(method);
    config_["data"] = settle_data(data_block, request_.site_data, data_);
    config_["encoder"] = resolve_encoder(encoder_block, data_.image_size);
    // Swin V2 measures distances by the windows of its pre-training, whatever they are now.
    const Json* windows = find_path(parent_config_, "encoder.pretrained_window");
    if (windows != nullptr && config_["encoder"].contains("pretrained_window") &&
        !encoder_block.contains("pretrained_window"))
      config_["encoder"]["pretrained_window"] = *windows;
    if (stage_ == "pretrain")
      for (const std::string section : {"mask", "head", "target", "loss"})
        config_[section] = resolve_variant(section, merged_.config.value(section, Json::object()));
    check_normalisation();
    return block;
  }

  // Configuration with a training stage's block; sizes of the data are neither needed nor checked.
  Json without_data() {
    const Json block = resolve_model(Json::array());
    const auto add = [&](auto options) {
      read_fields(options, block, stage_);
      settle_training(options, block, stage_);
      check_options(options);
      config_[stage_] = write_fields(options);
    };
    if (stage_ == "pretrain")
      add(PretrainOptions{});
    else
      add(FinetuneOptions{});
    return config_;
  }

  TrainedModel trained() {
    latest_kind_ = stage_;
    resolve_model(Json::array());
    if (origin_.file.empty()) fail(Code::usage, "--from: name a run or a checkpoint file");
    return {config_, origin_.file, origin_.parent, warnings_};
  }

 private:
  static Json take(Json& block, const std::string& key) {
    Json taken = block.value(key, Json::object());
    block.erase(key);
    return taken;
  }

  void merge_request(const Json& earlier) {
    merged_ = merge_layers(request_.layers);
    check_sections(merged_.config);
    std::string from = earlier.empty() ? request_.from : "";
    if (from.empty() && stage_ != "pretrain") {
      const Json* given = find_path(merged_.config, stage_ + ".from");
      from = given != nullptr && given->is_string() ? given->get<std::string>() : "pretrain";
    }
    if (stage_ == "probe" && from == "scratch")
      fail(Code::usage, "probe.from: a probe reads trained features; name a run or a file");
    if (from == "pretrain") {
      for (const Json& other : earlier)
        if (other["kind"] == "pretrain") origin_ = {.parent = other["id"], .unversioned = other["unversioned"]};
      if (origin_.parent.empty())
        fail(Code::usage,
             "{}.from: there is no pre-training in this command; name a run, a checkpoint or scratch with --from",
             stage_);
      parent_config_ = earlier[0]["config"];
    } else if (!from.empty()) {
      origin_ = origin_of(request_.out, from, latest_kind_);
      if (!origin_.inherited.empty()) {
        parent_config_ = origin_.inherited;
        std::vector<Layer> layers = request_.layers;
        layers.insert(layers.begin(), inherited_layer(origin_, from, stage_, request_.layers));
        merged_ = merge_layers(layers);
        need_sizes(origin_, from, stage_, merged_.config);
      }
    }
    from_ = from;
  }

  // Files that options name enter the id by their content.
  void settle_files(const std::string& section) {
    for (const FieldDescription& field : describe_section(section, config_[section])) {
      const Json* value = find_path(config_[section], field.name);
      if (value == nullptr || !field.rule.file) continue;
      if (*value == "checkpoint" && origin_.file.empty())
        fail(Code::usage, "{}.{}: checkpoint means that of --from, which is not given; give it, or use another of {}",
             section, field.name, fields_detail::allowed_text(field.type, field.rule));
      if (!names_file(field.rule, *value) || *value == "") continue;
      const fs::path path = fs::absolute(value->get<std::string>());
      origin_.determines[section + "." + field.name] = hash_file_hex(path);
      set_path(config_[section], field.name, path.string());
    }
  }

  void check_normalisation() {
    if (!parent_config_.contains("data")) return;
    const Json& parent = parent_config_["data"];
    // What SimMIM's own files were trained with, where a file says nothing: on such images nobody else would.
    if (parent.value("mean", Json()) == "imagenet" && merged_.sources.value("data.mean", "") == from_ &&
        !merged_.sources.contains(stage_ + ".data.mean") && !has_usual_normalisation(data_))
      warnings_.push_back(
          fmt::format("{} does not say how its images were normalised: ImageNet's mean and deviation are taken; give "
                      "data.mean and data.std if it was trained with others",
                      from_));
    for (const std::string key : {"mean", "std"}) {
      if (!parent.contains(key) || !parent[key].is_array() || canonical(parent[key]) == canonical(config_["data"][key]))
        continue;
      const bool explicitly =
          merged_.sources.contains("data." + key) || merged_.sources.contains(stage_ + ".data." + key);
      if (explicitly && !request_.force && merged_.sources.value("data." + key, from_) != from_)
        fail(Code::usage, "data.{}: got {}, but the weights were trained with {}; leave it out, or insist with --force",
             key, config_["data"][key].dump(), parent[key].dump());
      if (!explicitly) config_["data"][key] = parent[key];
    }
  }

  template <class Options>
  void resolve_training(const Json& block) {
    Options options{};
    read_fields(options, block, stage_);
    settle_training(options, block, stage_);
    check_options(options);
    open_data();
    int64_t images = sizes_.train;
    if constexpr (std::is_same_v<Options, FinetuneOptions>) {
      need_labels();
      if (options.seed) config_["seed"] = *options.seed;
      options.seed.reset();
      if (options.limit_labels) {
        if (*options.limit_labels > images)
          fail(Code::usage, "finetune.limit_labels: {} is more than the {} training images; use fewer",
               *options.limit_labels, images);
        images = *options.limit_labels;
      }
      options.from = from_;
      if (options.select == "best" && sizes_.val == 0)
        fail(Code::usage, "finetune.select: best needs a validation split; set data.holdout or data.val");
      if (sizes_.val == 0 && sizes_.test > 0)
        warnings_.push_back("there is no validation split, so whatever is chosen is chosen on the test set");
    }
    plan_.update(plan_steps(options, images, block, stage_));
    config_[stage_] = write_fields(options);
    plan_model(plan_, config_, warnings_);
  }

  void resolve_probe(const Json& block) {
    ProbeOptions options;
    read_fields(options, block, stage_);
    open_data();
    need_labels();
    if (options.seed) config_["seed"] = *options.seed;
    options.seed.reset();
    options.from = from_;
    config_[stage_] = write_fields(options);
    const int64_t images = options.limit_labels.value_or(sizes_.train);
    plan_["epochs"] = options.name == "linear" ? options.epochs : 0;
    plan_["steps"] =
        options.name == "linear" ? options.epochs * (images / std::clamp<int64_t>(images, 1, options.batch_size)) : 0;
    plan_["images"] = images;
    plan_model(plan_, config_, warnings_);
    check_options(options, Classifier(config_, sizes_.classes, {.device = at::kMeta}).encoder().layers(), sizes_.train);
  }

  // A run of this request has no file yet, but it will have this shape.
  void check_weights() const {
    bool asked = false;
    for (const auto& [path, layer] : merged_.sources.items())
      asked |= (path.starts_with("encoder.") || path.starts_with(stage_ + ".encoder.")) && layer != from_;
    if (!origin_.file.empty()) {
      const TensorFile file = TensorFile::open_weights(origin_.file);
      check_weights_fit(config_, sizes_.classes, file.tensors(), "--from " + from_, asked);
    } else if (from_ == "pretrain" && config_["encoder"] != parent_config_["encoder"]) {
      check_weights_fit(config_, sizes_.classes, planned_weights(parent_config_), stage_ + ".from: pretrain", asked);
    }
  }

  void open_data() {
    sizes_ = data_sizes(data_, request_.site_data, warnings_);
    plan_.update({{"train_images", sizes_.train},
                  {"val_images", sizes_.val},
                  {"test_images", sizes_.test},
                  {"classes", sizes_.classes}});
  }

  void need_labels() const {
    if (sizes_.classes == 0)
      fail(Code::usage,
           "data.name: {} has no labels here, which {} needs; name a labelled data set, or give labels by folder or "
           "list file",
           data_.name, stage_);
  }

  Json entry() const {
    Json given = Json::object();
    for (const auto& [path, layer] : merged_.sources.items())
      if (layer != from_) given[path] = *find_path(merged_.config, path);
    return {{"kind", stage_},
            {"id", run_id(config_, origin_.parent, sizes_.fingerprint, origin_.determines)},
            {"unversioned", unversioned_id(config_, origin_.unversioned, sizes_.fingerprint, origin_.determines)},
            {"parent", origin_.parent.empty() ? Json() : Json(origin_.parent)},
            {"seed", config_["seed"]},
            {"config", config_},
            {"given", std::move(given)},
            {"sources", merged_.sources},
            {"fingerprint", sizes_.fingerprint},
            {"versions", result_versions(config_)},
            {"weights", origin_.file.empty() ? Json() : Json(origin_.file)},
            {"plan", plan_}};
  }

  const ResolveRequest& request_;
  std::string stage_, from_, latest_kind_ = "pretrain";
  std::vector<std::string>& warnings_;
  Merged merged_;
  TopOptions top_;
  Origin origin_;
  DataOptions data_;
  DataSizes sizes_;
  Json parent_config_ = Json::object(), config_, plan_ = Json::object();
};

}  // namespace

Json resolve_stages(const ResolveRequest& request, std::vector<std::string>& warnings) {
  Json stages = Json::array();
  const Merged merged = merge_layers(request.layers);
  for (const std::string& stage : request.stages) {
    if (stage != "pretrain" && stage != "finetune" && stage != "probe")
      fail(Code::usage, "stages: unknown stage '{}'{}", stage,
           unknown_name_hint(stage, {"pretrain", "finetune", "probe"}));
    // A chain that trains from elsewhere starts no pre-training of its own.
    const Json* from = find_path(merged.config, "finetune.from");
    if (stage == "pretrain" && request.stages.size() > 1 && from != nullptr && *from != "pretrain") continue;
    stages.push_back(StageResolver(request, stage, warnings).resolve(stages));
  }
  return stages;
}

TrainedModel trained_model(const ResolveRequest& request, const std::string& stage) {
  std::vector<std::string> warnings;
  return StageResolver(request, stage, warnings).trained();
}

Json model_config(const ResolveRequest& request, const std::string& stage) {
  std::vector<std::string> warnings;
  return StageResolver(request, stage, warnings).without_data();
}

}  // namespace simmim
