#include "parity/parity.h"

#include <algorithm>

namespace simmim {
namespace {

ParityPart curve_part(const std::string& curve) {
  return {curve, {"vit", "swin"}, [curve](const GoldenFiles& golden, const std::string& model, at::ScalarType dtype) {
            return compare_curve(curve, golden, model, dtype);
          }};
}

}  // namespace

const std::vector<ParityPart>& parity_parts() {
  static const std::vector<ParityPart> parts = {
      {"pretraining", {"vit", "swin", "swin_p2"}, compare_pretraining},
      {"classifier", {"vit", "swin"}, compare_classifier},
      curve_part("pretrain"),
      curve_part("pretrain_fixed_masks"),
      curve_part("finetune"),
      {"resized", {"vit", "swin", "swin_p2"}, compare_resized},
      {"swinv2", {"swinv2"}, compare_swinv2},
      {"augmentations", {"any"}, compare_augmentations},
  };
  return parts;
}

Json compare_all(const GoldenFiles& golden, const std::function<void(size_t done, size_t parts)>& on_part) {
  struct Row {
    std::string model, precision;
    Comparison comparison;
  };
  std::vector<Row> rows;
  size_t done = 0, total = 0;
  for (const ParityPart& part : parity_parts()) total += part.models.size() * std::size(kParityTypes);
  for (const ParityPart& part : parity_parts())
    for (const std::string& model : part.models)
      for (const at::ScalarType dtype : kParityTypes) {
        const std::string precision = dtype == at::kDouble ? "f64" : "f32";
        // "swin_p2" is a Swin too.
        const std::string shown = model.substr(0, model.find('_'));
        for (const Comparison& found : part.compare(golden, model, dtype)) {
          const auto row = std::find_if(rows.begin(), rows.end(), [&](const Row& other) {
            return other.model == shown && other.precision == precision && other.comparison.what == found.what;
          });
          if (row == rows.end())
            rows.push_back({shown, precision, found});
          else
            row->comparison.add(found);
        }
        on_part(++done, total);
      }
  Json out = Json::array();
  for (const auto& [model, precision, comparison] : rows)
    out.push_back({{"compared", comparison.what},
                   {"model", model},
                   {"precision", precision},
                   {"values", comparison.values},
                   {"difference", comparison.difference},
                   {"allowed", comparison.allowed},
                   {"worst", comparison.where},
                   {"ok", comparison.ok()}});
  return out;
}

}  // namespace simmim
