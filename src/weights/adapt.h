// From the tensors of a checkpoint to those of a model: the name prefix, the position tables of another size, the
// buffers that are computed and not loaded. What the official load_pretrained does (microsoft/SimMIM utils.py:98-284),
// and the same for loading a pre-training model, a classifier, or either at another image size.
#pragma once
#include <deque>
#include <string>
#include <vector>

#include "weights/tensor_file.h"

namespace simmim {

struct Wanted {
  std::string name;
  std::vector<int64_t> shape;
};

struct Adapted {
  // One entry for each wanted tensor that the file provides in the right shape, in the order wanted. The bytes belong
  // to the file, or for a resized table (always f64) to `owned`.
  NamedViews tensors;
  std::vector<std::string> missing;     // wanted names that the file does not provide
  std::vector<std::string> unexpected;  // names in the file that no wanted tensor uses, without the dropped ones
  struct Mismatch {
    std::string name;  // of the wanted tensor
    std::vector<int64_t> got, wanted;
  };
  std::vector<Mismatch> mismatched;  // provided, but in another shape that no rule converts; not in `tensors`
  std::vector<std::string> resized;  // wanted names of tables that were interpolated
  std::vector<std::string> notes;    // sentences for the log: what the official code would not have done
  std::deque<std::vector<double>> owned;

  Adapted() = default;
  Adapted(Adapted&&) = default;  // no copies: tensors point into owned
  Adapted& operator=(Adapted&&) = default;
};

// given: official names (a view without bytes stands for its shape alone), of a pre-training file ("encoder.*",
// "decoder.*") or of a classifier (no prefix). wanted: a model of either kind, told apart by the same prefix; a
// "decoder." name is only matched with itself.
// - "relative_position_index", "attn_mask", "relative_coords_table" (computed by the model) and "opt." are dropped;
// - "*relative_position_bias_table" of another size and the same number of heads is interpolated (weights/remap.h);
// - "pos_embed" and "absolute_pos_embed" of another size and the same width are interpolated bicubically;
// - "*.cpb_mlp.*" is also looked for under its old name "rpe_mlp";
// - the shared table "rel_pos_bias.relative_position_bias_table" serves every
// "blocks.i.attn.relative_position_bias_table"
//   that the file has no table of its own for;
// - everything else must have the wanted shape.
// Differs from the official code where that raises: a table with fewer than four points an axis (Swin's window 1 or 2)
// is interpolated by the polynomial through its points; a fine-tuned ViT's per-block tables are resized one by one;
// a ViT that keeps the shared table is loaded. The first is told in `notes`.
Adapted adapt(const NamedViews& given, const std::vector<Wanted>& wanted);

// Throws Code::data unless everything wanted was provided: one sentence with `where` (the file) that names the missing
// and mismatched tensors. Names that begin with one of `fresh` ("head.", "fc_norm.") may be missing or of another
// shape: they keep their initial values. Names that begin with one of `unused` ("decoder.", "encoder.mask_token"), as
// the file spells them, may stand in it without a use; other unexpected names are an error too. `advice` ends it.
void require_complete(const Adapted& adapted, const std::string& where, const std::vector<std::string>& fresh = {},
                      const std::vector<std::string>& unused = {},
                      const std::string& advice = "set the encoder's options to those of the checkpoint");

// What a classifier has of its own, and what it does not take: decoder, mask token, ViT's final norm, BEiT's lm_head,
// the target's constants.
extern const std::vector<std::string> kFreshInClassifier;
extern const std::vector<std::string> kUnusedByClassifier;

// The same of pre-training: it may start from features alone.
extern const std::vector<std::string> kFreshInPretraining;
extern const std::vector<std::string> kUnusedByPretraining;

}  // namespace simmim
