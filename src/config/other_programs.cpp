#include "config/other_programs.h"

#include <algorithm>

#include "core/error.h"

namespace simmim {
namespace {

struct Facts {
  const Json& encoder;
  bool swin = false, second = false;                       // Swin, its version two
  int64_t image_size = 0, patch = 0, dim = 0, stride = 0;  // stride: pixels a feature cell covers
};

Facts facts_of(const Json& config, const char* format) {
  const Json& encoder = config.at("encoder");
  const std::string name = encoder.at("name");
  if (name != "vit" && name != "swin" && name != "swinv2")
    fail(Code::usage,
         "--format {}: encoder '{}' has no counterpart there; allowed: vit, swin and swinv2; use --format simmim",
         format, name);
  if (encoder.value("absolute_position", false))
    fail(Code::usage, "--format {}: an encoder with absolute positions is not translated; use --format simmim", format);
  Facts facts{.encoder = encoder,
              .swin = name != "vit",
              .second = name == "swinv2",
              .image_size = config.at("data").at("image_size"),
              .patch = encoder.at("patch"),
              .dim = encoder.at("dim")};
  facts.stride = facts.swin ? facts.patch << (encoder.at("depths").size() - 1) : facts.patch;
  return facts;
}

// The windows that Swin V2 measures by, 0 where those are a stage's own: theirs divides by a window less one.
Json pretrained_windows(const Facts& facts) {
  Json windows = Json::array();
  const int64_t window = facts.encoder.at("window");
  for (size_t stage = 0; stage < facts.encoder.at("depths").size(); ++stage) {
    const int64_t own = std::min(window, facts.image_size / (facts.patch << stage));
    const Json& given = facts.encoder.at("pretrained_window");
    const int64_t measured_by = given.empty() ? own : given[stage].get<int64_t>();
    windows.push_back(measured_by == own ? 0 : measured_by);
  }
  return windows;
}

// SwinForMaskedImageModeling's decoder: one 1x1 convolution to 3 x stride x stride channels.
bool has_linear_decoder(const Json& config, const Facts& facts) {
  const Json* resolution = find_path(config, "target.resolution");
  const bool full = resolution == nullptr || !resolution->is_number() || *resolution == facts.image_size;
  return config.value("head", Json::object()).value("name", "") == "linear" &&
         config.value("target", Json::object()).value("name", "") == "pixels" && full;
}

}  // namespace

OtherModel timm_model(const Json& config, const std::vector<std::string>& classes) {
  const Facts facts = facts_of(config, "timm");
  const bool classifies = !classes.empty();
  OtherModel out{.name = facts.second ? "swinv2_base_window8_256"
                         : facts.swin ? "swin_base_patch4_window7_224"
                                      : "beit_base_patch16_224",
                 .config = {{"img_size", facts.image_size},
                            {"patch_size", facts.patch},
                            {"embed_dim", facts.dim},
                            {"mlp_ratio", facts.encoder.at("mlp_ratio")},
                            {"num_classes", classes.size()}},
                 .room = {.naming = Naming::timm}};
  if (facts.swin) {
    out.config.update({{"depths", facts.encoder.at("depths")},
                       {"num_heads", facts.encoder.at("heads")},
                       {"window_size", facts.encoder.at("window")}});
    if (facts.second) out.config["pretrained_window_sizes"] = pretrained_windows(facts);
  } else {
    const double layer_scale = facts.encoder.at("layer_scale");
    out.config.update({{"depth", facts.encoder.at("depth")},
                       {"num_heads", facts.encoder.at("heads")},
                       {"init_values", layer_scale > 0 ? Json(layer_scale) : Json()},
                       {"use_abs_pos_emb", false},
                       {"use_rel_pos_bias", classifies},
                       {"use_shared_rel_pos_bias", !classifies},
                       {"use_fc_norm", classifies}});
  }
  return out;
}

OtherModel hf_model(const Json& config, const std::vector<std::string>& classes) {
  const Facts facts = facts_of(config, "hf");
  const bool classifies = !classes.empty();
  OtherModel out{.config = {{"model_type", facts.second ? "swinv2"
                                           : facts.swin ? "swin"
                                                        : "beit"},
                            {"image_size", facts.image_size},
                            {"patch_size", facts.patch},
                            {"num_channels", 3},
                            {"hidden_act", "gelu"},
                            {"dtype", "float32"}},
                 .room = {.naming = Naming::hf}};
  if (facts.swin) {
    const int64_t window = facts.encoder.at("window"), last_grid = facts.image_size / facts.stride;
    if (window > last_grid && !facts.second)
      fail(Code::usage,
           "--format hf: the last stage has a grid of {} x {} tokens, less than the window of {}; the Swin of "
           "transformers has one window for all stages; use --format timm",
           last_grid, last_grid, window);
    const bool whole = !classifies && has_linear_decoder(config, facts);
    out.room.mask_token = out.room.decoder = whole;
    out.room.prefix = !classifies && !whole ? "" : facts.second ? "swinv2." : "swin.";
    out.name = facts.second ? "Swinv2" : "Swin";
    out.name += classifies ? "ForImageClassification" : whole ? "ForMaskedImageModeling" : "Model";
    out.config.update({{"embed_dim", facts.dim},
                       {"depths", facts.encoder.at("depths")},
                       {"num_heads", facts.encoder.at("heads")},
                       {"window_size", window},
                       {"mlp_ratio", facts.encoder.at("mlp_ratio")},
                       {"qkv_bias", true},
                       {"encoder_stride", facts.stride},
                       {"layer_norm_eps", 1e-5},
                       {"use_absolute_embeddings", false}});
    if (facts.second) out.config["pretrained_window_sizes"] = pretrained_windows(facts);
  } else {
    out.room.mask_token = !classifies;
    out.room.prefix = classifies ? "beit." : "";
    out.name = classifies ? "BeitForImageClassification" : "BeitModel";
    out.config.update({{"hidden_size", facts.dim},
                       {"num_hidden_layers", facts.encoder.at("depth")},
                       {"num_attention_heads", facts.encoder.at("heads")},
                       {"intermediate_size", static_cast<int64_t>(static_cast<double>(facts.dim) *
                                                                  facts.encoder.at("mlp_ratio").get<double>())},
                       {"layer_scale_init_value", facts.encoder.at("layer_scale")},
                       {"layer_norm_eps", 1e-6},
                       {"use_mask_token", !classifies},
                       {"use_absolute_position_embeddings", false},
                       {"use_relative_position_bias", classifies},
                       {"use_shared_relative_position_bias", !classifies},
                       {"use_mean_pooling", classifies}});
  }
  out.config["architectures"] = Json{out.name};
  for (size_t k = 0; k < classes.size(); ++k) {
    out.config["id2label"][std::to_string(k)] = classes[k];
    out.config["label2id"][classes[k]] = k;
  }
  return out;
}

}  // namespace simmim
