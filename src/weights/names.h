// The names that other programs give the same tensors, and the way back. Numbers are only cut and joined, never
// computed, so a way there and back gives the same bits.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "weights/tensor_file.h"

namespace simmim {

// official: microsoft/SimMIM's, which are our own ("layers.0.blocks.1.attn.qkv.weight").
// timm: those of timm 0.9 and later, whose Swin has a stage's downsample at the start of the next ("layers.1." for the
// official "layers.0.") and its head under "head.fc." (timm swin_transformer.py checkpoint_filter_fn); its Beit has the
// official names.
// hf: those in transformers' files (modeling_swin.py, modeling_swinv2.py, modeling_beit.py): a prefix ("swin."),
// queries, keys and values apart.
enum class Naming { official, timm, hf };

std::string_view name_of(Naming naming);  // "simmim", "timm", "hf"

// Told by the names alone; so a ViT of timm counts as official.
Naming naming_of(const NamedViews& tensors);

// Gives a file's tensors their official names; those of transformers without a classifier get pre-training's prefix,
// "encoder.". Buffers of other programs are dropped, but for Swin V2's table of coordinates; names that nobody knows
// stay. Joined tensors go to `owned`; file_bytes bounds them.
void use_official_names(FileContents& contents, uint64_t file_bytes);

// What another program has room for.
struct Room {
  Naming naming = Naming::official;
  std::string prefix = {};  // hf: before every name but those of head and decoder
  bool mask_token = false, decoder = false;
};

struct Renamed {
  NamedViews tensors;                 // views of the same bytes
  std::vector<std::string> left_out;  // official names of those without room
};

// official: parameters of a pre-training model ("encoder.", "decoder.") or a classifier. Not for Naming::official.
Renamed rename_for(const NamedViews& official, const Room& room);

}  // namespace simmim
