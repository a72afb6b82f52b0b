#include "report/by_image.h"

#include <map>

#include "core/error.h"
#include "runs/run_folder.h"
#include "weights/tensor_file.h"

namespace simmim {
namespace {

using ByImage = std::map<int64_t, double>;  // place of the test image -> 100 where right, averaged over runs

// False: no predictions are stored, or of other images than `right` holds already.
bool add_run(const fs::path& out, const std::string& run, double share, ByImage& right) {
  const fs::path file = run_path(out, run) / "eval.safetensors";
  std::error_code missing;
  if (!fs::is_regular_file(file, missing)) return false;
  const TensorFile tensors = TensorFile::open(file);
  const TensorView *index = tensors.find("index"), *label = tensors.find("label"),
                   *prediction = tensors.find("prediction");
  if (index == nullptr || label == nullptr || prediction == nullptr)
    fail(Code::data, "{}: no index, label and prediction in it; `simmim eval --from {}` writes it anew", file.string(),
         run);
  const std::vector<double> places = to_doubles(*index), labels = to_doubles(*label), said = to_doubles(*prediction);
  const bool is_first = right.empty();
  for (size_t i = 0; i < places.size(); ++i) {
    const auto place = static_cast<int64_t>(places[i]);
    if (!is_first && !right.contains(place)) return false;
    right[place] += labels[i] == said[i] ? 100 * share : 0;
  }
  return places.size() == right.size();
}

std::optional<ByImage> read_side(const fs::path& out, const std::vector<std::string>& runs) {
  ByImage right;
  for (const std::string& run : runs)
    if (!add_run(out, run, 1 / static_cast<double>(runs.size()), right)) return std::nullopt;
  if (right.size() < 2) return std::nullopt;
  return right;
}

}  // namespace

std::optional<ImageComparison> compare_by_image(const fs::path& out, const std::vector<std::string>& first,
                                                const std::vector<std::string>& second) {
  const std::optional<ByImage> a = read_side(out, first), b = read_side(out, second);
  if (!a || !b || a->size() != b->size()) return std::nullopt;
  std::vector<double> of_first, of_second;
  ImageComparison result;
  for (const auto& [place, value] : *a) {
    const auto other = b->find(place);
    if (other == b->end()) return std::nullopt;
    of_first.push_back(value), of_second.push_back(other->second);
    result.only_first += value > other->second, result.only_second += value < other->second;
  }
  result.images = static_cast<int64_t>(of_first.size());
  result.difference = paired_t_test(of_second, of_first);
  return result;
}

}  // namespace simmim
