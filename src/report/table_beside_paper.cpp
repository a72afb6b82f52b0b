#include <set>

#include "report/table_marks.h"
#include "runs/paper.h"

namespace simmim {
namespace {

std::string section_of(const std::string& leaf) { return leaf.substr(0, leaf.find('.')); }

// Whether two chains differ only in what the paper's table varies ("mask" of mask.patch and mask.ratio). What else
// differs, its numbers do not speak of.
bool differ_as_in(const PaperTable& paper, const Json& one, const Json& other) {
  std::set<std::string> varied;
  for (const std::string& axis : paper.axes) varied.insert(section_of(axis));
  const auto covers = [&](const Json& a, const Json& b) {
    for (const auto& [leaf, value] : a.items())
      if (!varied.contains(section_of(leaf)) && (!b.contains(leaf) || canonical(b[leaf]) != canonical(value)))
        return false;
    return true;
  };
  return covers(one, other) && covers(other, one);
}

}  // namespace

std::string paper_verdict(const TableEntry& entry, double theirs) {
  if (!entry.difference) return "";
  return !entry.shown                           ? "no difference shown"
         : entry.difference->value * theirs > 0 ? "same sign"
         : theirs == 0                          ? "the paper has none"
                                                : "other sign";
}

void set_beside_paper(ValueTable& table, const std::vector<const SweepCell*>& cells, const SweepData& data,
                      const std::vector<int>& baselines) {
  const PaperTable* paper = find_paper_table(data.paper);
  if (paper == nullptr || (table.metric != "val_top1" && table.metric != "test_top1")) return;
  const PaperValue* own_default = find_paper_value(*paper, paper->default_values, table.stage);
  if (own_default == nullptr) return;
  bool same_pairs = false, to_default = false, unverified = false;
  for (size_t i = 0; i < cells.size(); ++i) {
    const Json chain = cells[i]->chain();
    const PaperValue* value = find_paper_value(*paper, chain, table.stage);
    const bool same_conditions = !cells[i]->paper.empty();
    const SweepCell* baseline = baselines[i] < 0 ? nullptr : cells[static_cast<size_t>(baselines[i])];
    if (value == nullptr) continue;
    if (!same_conditions && baseline != nullptr && !differ_as_in(*paper, chain, baseline->chain())) continue;
    const PaperValue* pair = baseline == nullptr ? nullptr : find_paper_value(*paper, baseline->chain(), table.stage);
    const PaperValue& reference = pair == nullptr ? *own_default : *pair;
    TableEntry& entry = table.entries[i];
    PaperBeside beside{value->value,
                       value->value - reference.value,
                       value->verified && (reference.verified || same_conditions),
                       same_conditions,
                       "",
                       value->cell};
    if (pair != nullptr) beside.verdict = paper_verdict(entry, beside.difference);
    (pair == nullptr ? to_default : same_pairs) = true;
    unverified = unverified || !beside.verified;
    entry.paper = beside;
  }
  if (!same_pairs && !to_default) return;
  const std::string between = !to_default   ? "between the same two cells"
                              : !same_pairs ? "to its own default cell"
                                            : "between the same two cells, or to its own default cell";
  const Json theirs = paper->setup.value("data.image_size", Json());
  const Json ours = cells[0]->chain().value("data.image_size", Json());
  table.notes.push_back(
      fmt::format("paper: {}, {}; differences are the paper's {}{}{}", data.paper, paper->title, between,
                  theirs.is_null() || theirs == ours
                      ? ""
                      : fmt::format(", on images of {} pixels a side where ours have {}", theirs.dump(), ours.dump()),
                  unverified ? "; ? = not verified against the paper's text" : ""));
}

}  // namespace simmim
