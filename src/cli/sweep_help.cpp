#include "cli/sweep_help.h"

#include <fmt/format.h>

#include "sweep/grid.h"

namespace simmim {
namespace {

// A valid sweep: a test reads it from --help and checks it.
constexpr const char* kExample = R"({
  "about": "Which mask, and does pre-training pay?",
  "base": "fashion_mnist_vit",
  "set": {"pretrain.epochs": 2},
  "axes": [
    {"grid": {"mask.name": ["random", "square"], "mask.patch": [8, 16]}},
    {"zip": {"encoder.dim": [64, 128], "pretrain.lr": [1.5e-3, 1e-3]}},
    {"cases": {"pre-trained": {}, "scratch": {"finetune.from": "scratch"}}}
  ],
  "when": [{"if": {"mask.name": "square"}, "set": {"mask.ratio": 0.4}}],
  "exclude": [{"mask.patch": 16, "encoder.dim": 128}],
  "seeds": 3,
  "tune": {"finetune.lr": [5e-4, 1e-3], "by": "finetune.val.top1", "seeds": [100]},
  "stop_if": {"nan": true, "worse_than_median": {"metric": "val.top1", "after": 0.3, "at_least": 3}},
  "stages": ["pretrain", "finetune"],
  "resources": {"threads": 1, "hours": 8},
  "table": {"rows": "mask.patch", "columns": "mask.name", "value": "finetune.val.top1", "baseline": {"case": "scratch"}}
}
)";

}  // namespace

std::string sweep_file_text() {
  std::string text = fmt::format(
      "A sweep file:\n{}\nAny leaf of the configuration (simmim pretrain --help) may stand in set, grid, zip, a case, "
      "when "
      "and tune.\nCells that come to the same configuration are one cell.\n",
      kExample);
  for (const FieldDescription& field : sweep_file_fields())
    text += fmt::format("  {:<34}  {}{}\n", field.name, field.help,
                        field.rule.choices.empty() ? "" : ": " + one_of(field.rule.choices));
  return text;
}

}  // namespace simmim
