#include "data/choose.h"

#include <algorithm>
#include <map>

#include "core/error.h"
#include "core/rng.h"

namespace simmim {
namespace {

struct Group {
  int64_t label;
  std::vector<int64_t> members;
  int64_t quota = 0;
  int64_t size() const { return static_cast<int64_t>(members.size()); }
};

std::vector<Group> group_by_label(const std::vector<int64_t>& labels) {
  std::map<int64_t, std::vector<int64_t>> by_label;
  for (size_t i = 0; i < labels.size(); ++i) by_label[labels[i]].push_back(static_cast<int64_t>(i));
  std::vector<Group> groups;
  for (auto& [label, members] : by_label) groups.push_back({label, std::move(members)});
  return groups;
}

std::vector<int64_t> take(std::vector<Group>& groups, uint64_t seed, std::string_view purpose) {
  std::vector<int64_t> chosen;
  for (Group& group : groups) {
    Rng(seed, purpose, static_cast<uint64_t>(group.label + 1)).shuffle(group.members);
    chosen.insert(chosen.end(), group.members.begin(), group.members.begin() + group.quota);
  }
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

}  // namespace

std::vector<int64_t> choose_in_proportion(const std::vector<int64_t>& labels, int64_t count, uint64_t seed,
                                          std::string_view purpose) {
  const int64_t total = static_cast<int64_t>(labels.size());
  SIMMIM_CHECK(count >= 0 && count <= total, "{} of {}", count, total);
  std::vector<Group> groups = group_by_label(labels);
  int64_t given = 0;
  for (Group& group : groups) given += group.quota = count * group.size() / total;
  std::vector<Group*> by_remainder;
  for (Group& group : groups) by_remainder.push_back(&group);
  std::stable_sort(by_remainder.begin(), by_remainder.end(), [&](const Group* a, const Group* b) {
    return count * a->size() % total > count * b->size() % total;
  });
  for (size_t i = 0; given < count; ++i, ++given) ++by_remainder[i]->quota;
  return take(groups, seed, purpose);
}

std::vector<int64_t> choose_equally(const std::vector<int64_t>& labels, int64_t count, uint64_t seed,
                                    std::string_view purpose) {
  SIMMIM_CHECK(count >= 0 && count <= static_cast<int64_t>(labels.size()), "{} of {}", count, labels.size());
  std::vector<Group> groups = group_by_label(labels);
  // Which classes get one more than the others is drawn too; small classes give all they have.
  std::vector<int64_t> order = Rng(seed, purpose).permutation(static_cast<int64_t>(groups.size()));
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return groups[static_cast<size_t>(a)].size() < groups[static_cast<size_t>(b)].size();
  });
  int64_t left = count, classes_left = static_cast<int64_t>(groups.size());
  for (int64_t i : order) {
    Group& group = groups[static_cast<size_t>(i)];
    group.quota = std::min(group.size(), left / classes_left);
    left -= group.quota, --classes_left;
  }
  return take(groups, seed, purpose);
}

}  // namespace simmim
