#include "weights/adapt.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <unordered_map>

#include "core/error.h"
#include "weights/remap.h"

namespace simmim {
const std::vector<std::string> kFreshInClassifier = {"head.", "fc_norm."};
const std::vector<std::string> kUnusedByClassifier = {"decoder.",           "lm_head.",      "mask_token", "norm.",
                                                      "encoder.mask_token", "encoder.norm.", "target."};
const std::vector<std::string> kFreshInPretraining = {"decoder.", "encoder.mask_token"};
const std::vector<std::string> kUnusedByPretraining = {"decoder.", "lm_head.", "head.", "target."};

namespace {

constexpr std::string_view kPrefix = "encoder.";
constexpr std::string_view kTable = "relative_position_bias_table";
constexpr std::string_view kSharedTable = "rel_pos_bias.relative_position_bias_table";
constexpr int64_t kMaxSide = 511;  // of a table; far beyond any real one, bounds the work on a hostile file

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// Buffers that the model computes, and the optimizer's state in a checkpoint of ours.
bool is_no_weight(std::string_view name) {
  return contains(name, "relative_position_index") || contains(name, "attn_mask") ||
         contains(name, "relative_coords_table") || name.starts_with("opt.");
}

// "blocks.3.attn.relative_position_bias_table": a ViT's table of one block (Swin's begin with "layers.").
bool is_block_table(std::string_view name) { return name.starts_with("blocks.") && name.ends_with(kTable); }

// What the released SimMIM files of Swin V2 call the network of position biases (Swin-Transformer utils_simmim.py).
std::string old_name(std::string name) {
  const auto at = name.find(".cpb_mlp.");
  return at == std::string::npos ? name : name.replace(at, 9, ".rpe_mlp.");
}

// The side of the grid of an absolute position embedding; 0 if it has none.
int64_t grid_side(int64_t tokens, int64_t extra) {
  const int64_t side = std::llround(std::sqrt(static_cast<double>(std::max<int64_t>(0, tokens - extra))));
  return side * side == tokens - extra ? side : 0;
}

// A position table `name` in the shape wanted, or nothing where no rule converts it.
std::vector<double> resized(const std::string& name, const TensorView& tensor, const std::vector<int64_t>& wanted) {
  const std::vector<int64_t>& given = tensor.shape;
  const auto values = [&] {
    return tensor.bytes.empty() ? std::vector<double>(static_cast<size_t>(tensor.count())) : to_doubles(tensor);
  };
  if (given.size() != wanted.size() || given.back() != wanted.back()) return {};
  if (name.ends_with(kTable) && given.size() == 2) {
    const TableLayout src = table_layout(given[0]), dst = table_layout(wanted[0]);
    if (src.side > 0 && dst.side > 0 && src.extra == dst.extra && std::max(src.side, dst.side) <= kMaxSide)
      return resize_table(values(), wanted[1], src, dst);
  }
  if ((name == "pos_embed" || name == "absolute_pos_embed") && given.size() == 3 && given[0] == 1 && wanted[0] == 1) {
    const int64_t extra = name == "pos_embed" ? 1 : 0;  // the class token
    const int64_t src = grid_side(given[1], extra), dst = grid_side(wanted[1], extra);
    if (src > 0 && dst > 0 && std::max(src, dst) <= kMaxSide)
      return resize_positions(values(), wanted[2], extra, src, dst);
  }
  return {};
}

}  // namespace

Adapted adapt(const NamedViews& given, const std::vector<Wanted>& wanted) {
  Adapted out;
  const auto prefixed = [](const std::string& name) { return name.starts_with(kPrefix); };
  const bool from_pretraining =
      std::any_of(given.begin(), given.end(), [&](const auto& entry) { return prefixed(entry.first); });
  const bool to_pretraining =
      std::any_of(wanted.begin(), wanted.end(), [&](const Wanted& want) { return prefixed(want.name); });
  std::unordered_map<std::string, size_t> by_name;
  for (size_t i = 0; i < given.size(); ++i) by_name.emplace(given[i].first, i);
  std::set<size_t> used;

  for (const Wanted& want : wanted) {
    // All of an encoder stands under the prefix in a pre-training model, and all of a classifier is an encoder and a
    // head; the head is wanted under the prefix too, where a pre-training file has none.
    const bool of_encoder = prefixed(want.name) || !to_pretraining;
    const std::string name = prefixed(want.name) ? want.name.substr(kPrefix.size()) : want.name;
    const std::string prefix(from_pretraining && of_encoder ? kPrefix : "");
    auto found = by_name.find(prefix + name);
    if (found == by_name.end() && is_block_table(name)) found = by_name.find(prefix + std::string(kSharedTable));
    if (found == by_name.end()) found = by_name.find(prefix + old_name(name));
    if (found == by_name.end()) {
      out.missing.push_back(want.name);
      continue;
    }
    const TensorView& tensor = given[found->second].second;
    used.insert(found->second);
    if (tensor.shape == want.shape) {
      out.tensors.emplace_back(want.name, tensor);
      continue;
    }
    std::vector<double> values = resized(name, tensor, want.shape);
    if (values.empty()) {
      out.mismatched.push_back({want.name, tensor.shape, want.shape});
      continue;
    }
    const std::vector<double>& kept = out.owned.emplace_back(std::move(values));
    out.tensors.emplace_back(
        want.name, TensorView{.dtype = DType::f64,
                              .shape = want.shape,
                              .bytes = {reinterpret_cast<const char*>(kept.data()), kept.size() * sizeof(double)}});
    out.resized.push_back(want.name);
    if (const int64_t side = name.ends_with(kTable) ? table_layout(tensor.shape[0]).side : 4; side < 4)
      out.notes.push_back(
          fmt::format("{}: a table of {}x{} offsets is too small for the official cubic spline; the polynomial through "
                      "its points was used",
                      want.name, side, side));
  }
  for (size_t i = 0; i < given.size(); ++i)
    if (!used.contains(i) && !is_no_weight(given[i].first)) out.unexpected.push_back(given[i].first);
  return out;
}

namespace {

bool begins_with_any(std::string_view name, const std::vector<std::string>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](const std::string& prefix) { return name.starts_with(prefix); });
}

// "a, b, c and 12 more"
std::string some_of(const std::vector<std::string>& names) {
  constexpr size_t kShown = 3;
  const size_t shown = std::min(names.size(), kShown);
  std::string text =
      fmt::format("{}", fmt::join(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
  if (names.size() > shown) text += fmt::format(" and {} more", names.size() - shown);
  return text;
}

}  // namespace

void require_complete(const Adapted& adapted, const std::string& where, const std::vector<std::string>& fresh,
                      const std::vector<std::string>& unused, const std::string& advice) {
  std::vector<std::string> missing, unexpected, mismatched, problems;
  for (const std::string& name : adapted.missing)
    if (!begins_with_any(name, fresh)) missing.push_back(name);
  for (const std::string& name : adapted.unexpected)
    if (!begins_with_any(name, unused)) unexpected.push_back(name);
  for (const auto& [name, got, wanted] : adapted.mismatched)
    if (!begins_with_any(name, fresh))
      mismatched.push_back(fmt::format("{} is {}, not {}", name, shape_text(got), shape_text(wanted)));
  if (!missing.empty()) problems.push_back(fmt::format("{} missing ({})", missing.size(), some_of(missing)));
  if (!mismatched.empty())
    problems.push_back(fmt::format("{} of another shape ({})", mismatched.size(), some_of(mismatched)));
  if (!unexpected.empty())
    problems.push_back(fmt::format("{} unexpected ({})", unexpected.size(), some_of(unexpected)));
  if (!problems.empty())
    fail(Code::data, "{}: these weights do not fit the model: {}; {}", where, fmt::join(problems, "; "), advice);
}

}  // namespace simmim
