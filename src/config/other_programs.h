// How timm and transformers build the model that takes our weights: ViT and both versions of Swin, without absolute
// positions.
#pragma once
#include <string>
#include <vector>

#include "core/json.h"
#include "weights/names.h"

namespace simmim {

struct OtherModel {
  std::string name;  // timm: of its registry; hf: the class
  Json config;       // timm: arguments of create_model; hf: config.json
  Room room;         // which of our tensors it takes, under which names
};

// config: a resolved pre-training or fine-tuning configuration. classes: names of a classifier's, none for a
// pre-training model.
// timm (1.0, beit.py, swin_transformer.py and swin_transformer_v2.py): the features alone, neither mask token nor
// decoder.
OtherModel timm_model(const Json& config, const std::vector<std::string>& classes);

// transformers: Swin and Swinv2 whole where the head is the linear one at full resolution (SwinForMaskedImageModeling),
// else without mask token and head; ViT as Beit, whose own mask token it takes, but not the head (the
// ViTForMaskedImageModeling of transformers has neither relative bias nor layer scale). Code::usage for a Swin whose
// window does not fit into a late stage's grid: SwinLayer makes one window of all stages; Swinv2 does not.
OtherModel hf_model(const Json& config, const std::vector<std::string>& classes);

}  // namespace simmim
