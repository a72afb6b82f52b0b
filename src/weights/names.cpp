#include "weights/names.h"

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "core/error.h"

namespace simmim {
namespace {

constexpr std::string_view kEncoder = "encoder.", kProjection = "embeddings.patch_embeddings.projection.weight";

// How a name begins in both worlds; "#" stands for a number.
struct Beginnings {
  std::string official, hf;
};

// One family's blocks.
struct Blocks {
  std::string official, hf, attention, table;
};
const Blocks kSwinBlocks = {"layers.#.blocks.#.", "encoder.layers.#.blocks.#.", "attention.self.", ""};
const Blocks kBeitBlocks = {"blocks.#.", "encoder.layer.#.", "attention.attention.", "relative_position_bias."};

const std::vector<Beginnings>& beginnings() {
  static const std::vector<Beginnings> all = [] {
    std::vector<Beginnings> rows = {
        {"cls_token", "embeddings.cls_token"},
        {"mask_token", "embeddings.mask_token"},
        {"patch_embed.proj.", "embeddings.patch_embeddings.projection."},
        {"patch_embed.norm.", "embeddings.norm."},
        {"rel_pos_bias.", "encoder.relative_position_bias."},
        {"layers.#.downsample.", "encoder.layers.#.downsample."},
        {"norm.", "layernorm."},
        {"fc_norm.", "pooler.layernorm."},
        {"head.", "classifier."},
        {"decoder.", "decoder."},
    };
    for (const Blocks& blocks : {kSwinBlocks, kBeitBlocks}) {
      const auto add = [&](const char* official, const std::string& hf) {
        rows.push_back({blocks.official + official, blocks.hf + hf});
      };
      add("norm1.", "layernorm_before.");
      add("norm2.", "layernorm_after.");
      add("gamma_1", "lambda_1");
      add("gamma_2", "lambda_2");
      add("mlp.fc1.", "intermediate.dense.");
      add("mlp.fc2.", "output.dense.");
      add("attn.proj.", "attention.output.dense.");
      add("attn.q_bias", blocks.attention + "query.bias");
      add("attn.v_bias", blocks.attention + "value.bias");
      add("attn.relative_position_bias_table", blocks.attention + blocks.table + "relative_position_bias_table");
    }
    // Of Swin V2. Older files of transformers hold the table, which tells the window.
    const std::string official = kSwinBlocks.official + "attn.", hf = kSwinBlocks.hf + kSwinBlocks.attention;
    rows.push_back({official + "logit_scale", hf + "logit_scale"});
    rows.push_back({official + "cpb_mlp.", hf + "continuous_position_bias_mlp."});
    rows.push_back({official + "relative_coords_table", hf + "relative_coords_table"});
    return rows;
  }();
  return all;
}

// `name` with its beginning `from` spelt as `to`; nullopt if it begins otherwise.
std::optional<std::string> respell(std::string_view name, std::string_view from, std::string_view to) {
  std::string out;
  size_t at = 0;
  for (const char letter : from) {
    if (letter != '#') {
      if (at == name.size() || name[at] != letter) return std::nullopt;
      ++at;
      continue;
    }
    const size_t end = std::min(name.find_first_not_of("0123456789", at), name.size()), hole = to.find('#');
    if (end == at) return std::nullopt;
    out.append(to.substr(0, hole)).append(name.substr(at, end - at));
    to.remove_prefix(hole + 1);
    at = end;
  }
  return out.append(to).append(name.substr(at));
}

// "layers.S.downsample.X" -> the same with S moved by `by`; other names stay.
std::string move_downsample(const std::string& name, int by) {
  const std::optional<std::string> number = respell(name, "layers.#.downsample.", "#.");
  const size_t digits = number ? number->find('.') : 0;
  if (digits == 0 || digits > 3) return name;
  return fmt::format("layers.{}.downsample.{}", std::stoi(*number) + by, number->substr(digits + 1));
}

template <class Accepts>
bool any_name(const NamedViews& tensors, Accepts accepts) {
  return std::any_of(tensors.begin(), tensors.end(), [&](const auto& entry) { return accepts(entry.first); });
}
bool any_begins(const NamedViews& tensors, std::string_view beginning) {
  return any_name(tensors, [&](const std::string& name) { return name.starts_with(beginning); });
}

bool is_buffer(std::string_view name) {
  return name.ends_with("relative_position_index") || name.ends_with("attn_mask");
}

// --- transformers -> official ---

class FromHf {
 public:
  FromHf(FileContents& contents, uint64_t file_bytes) : contents_(contents), copies_left_(4 * file_bytes) {
    for (const auto& [name, tensor] : contents.tensors) {
      if (name.ends_with(kProjection)) prefix_ = name.substr(0, name.size() - kProjection.size());
      by_name_.emplace(name, &tensor);
    }
    const bool classifies =
        by_name_.contains("classifier.weight") || by_name_.contains(prefix_ + "pooler.layernorm.weight");
    official_prefix_ = classifies ? "" : kEncoder;
  }

  void run() {
    NamedViews out;
    for (const auto& [name, tensor] : contents_.tensors) {
      if (is_buffer(name)) continue;
      const std::string bare = name.starts_with(prefix_) ? name.substr(prefix_.size()) : name;
      if (!join(bare, out)) out.emplace_back(official(bare).value_or(name), tensor);
    }
    contents_.tensors = std::move(out);
  }

 private:
  std::optional<std::string> official(const std::string& bare) const {
    for (const Beginnings& row : beginnings())
      if (std::optional<std::string> found = respell(bare, row.hf, row.official))
        return (found->starts_with("decoder.") || found->starts_with("head.") ? "" : official_prefix_) + *found;
    return std::nullopt;
  }

  // Takes a weight or bias of queries, keys or values where all three are there: the query's brings the joined one,
  // those of key and value nothing.
  bool join(const std::string& bare, NamedViews& out) {
    for (const Blocks& blocks : {kSwinBlocks, kBeitBlocks})
      for (const char* part : {"query.", "key.", "value."}) {
        const std::string beginning = blocks.hf + blocks.attention + part;
        const std::optional<std::string> joined = respell(bare, beginning, blocks.official + "attn.qkv.");
        if (!joined) continue;
        std::vector<const TensorView*> parts;
        for (const char* other : {"query.", "key.", "value."})
          if (const auto it = by_name_.find(prefix_ + *respell(bare, beginning, blocks.hf + blocks.attention + other));
              it != by_name_.end())
            parts.push_back(it->second);
        const auto alike = [&](const TensorView* other) {
          return other->shape == parts[0]->shape && other->dtype == parts[0]->dtype;
        };
        // As many copies as the file has bytes: names of a hostile .pth may all mean the same ones.
        if (parts.size() < 3 || !alike(parts[1]) || !alike(parts[2]) || parts[0]->bytes.empty() ||
            parts[0]->shape.empty() || 3 * parts[0]->bytes.size() > copies_left_)
          return false;
        if (parts[0] == by_name_.at(prefix_ + bare)) out.emplace_back(official_prefix_ + *joined, concatenated(parts));
        return true;
      }
    return false;
  }

  TensorView concatenated(const std::vector<const TensorView*>& parts) {
    std::vector<char>& bytes = contents_.owned.emplace_back();
    for (const TensorView* part : parts) bytes.insert(bytes.end(), part->bytes.begin(), part->bytes.end());
    copies_left_ -= bytes.size();
    TensorView out = *parts[0];
    out.shape[0] *= static_cast<int64_t>(parts.size());
    out.bytes = {bytes.data(), bytes.size()};
    return out;
  }

  FileContents& contents_;
  uint64_t copies_left_;
  std::string prefix_, official_prefix_;
  std::unordered_map<std::string, const TensorView*> by_name_;
};

// --- official -> others ---

// Cuts q, k and v apart, which lie behind one another. False if the name is none of theirs.
bool cut(const std::string& name, const TensorView& tensor, const std::string& prefix, NamedViews& out) {
  for (const Blocks& blocks : {kSwinBlocks, kBeitBlocks}) {
    if (!respell(name, blocks.official + "attn.qkv.", blocks.hf)) continue;
    TensorView part = tensor;
    part.shape[0] /= 3;
    const size_t bytes = tensor.bytes.size() / 3;
    size_t at = 0;
    for (const char* called : {"query.", "key.", "value."}) {
      part.bytes = tensor.bytes.substr(at, bytes);
      at += bytes;
      out.emplace_back(prefix + *respell(name, blocks.official + "attn.qkv.", blocks.hf + blocks.attention + called),
                       part);
    }
    return true;
  }
  return false;
}

std::optional<std::string> hf_name(const std::string& name, const std::string& prefix) {
  for (const Beginnings& row : beginnings())
    if (std::optional<std::string> found = respell(name, row.official, row.hf))
      return (name.starts_with("head.") || name.starts_with("decoder.") ? "" : prefix) + *found;
  return std::nullopt;
}

}  // namespace

std::string_view name_of(Naming naming) {
  return naming == Naming::official ? "simmim" : naming == Naming::timm ? "timm" : "hf";
}

Naming naming_of(const NamedViews& tensors) {
  if (any_name(tensors, [](const std::string& name) { return name.ends_with(kProjection); })) return Naming::hf;
  const bool moved = any_begins(tensors, "layers.1.downsample.") && !any_begins(tensors, "layers.0.downsample.");
  return moved || any_begins(tensors, "head.fc.") ? Naming::timm : Naming::official;
}

void use_official_names(FileContents& contents, uint64_t file_bytes) {
  const Naming naming = naming_of(contents.tensors);
  if (naming == Naming::hf) FromHf(contents, file_bytes).run();
  if (naming != Naming::timm) return;
  for (auto& [name, tensor] : contents.tensors)
    name = name.starts_with("head.fc.") ? "head." + name.substr(8) : move_downsample(name, -1);
}

Renamed rename_for(const NamedViews& official, const Room& room) {
  const bool swin = any_name(official, [](const std::string& name) {
    return name.starts_with("layers.") || name.starts_with("encoder.layers.");
  });
  Renamed out;
  for (const auto& [given, tensor] : official) {
    const std::string name = given.starts_with(kEncoder) ? given.substr(kEncoder.size()) : given;
    std::optional<std::string> found;
    const bool room_for_it = name.starts_with("decoder.") ? room.decoder
                             : name == "mask_token"       ? room.mask_token
                                                          : !name.starts_with("target.");
    if (room_for_it) {
      if (room.naming == Naming::hf && cut(name, tensor, room.prefix, out.tensors)) continue;
      if (room.naming == Naming::hf) found = hf_name(name, room.prefix);
      if (room.naming == Naming::timm)
        found = swin && name.starts_with("head.") ? "head.fc." + name.substr(5) : move_downsample(name, 1);
    }
    if (found)
      out.tensors.emplace_back(*found, tensor);
    else
      out.left_out.push_back(given);
  }
  return out;
}

}  // namespace simmim
