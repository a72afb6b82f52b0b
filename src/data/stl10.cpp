// STL-10 (Coates et al. 2011), binary release: 96 x 96 colour images, 5,000 labelled for training, 8,000 for the test
// and 100,000 without labels. data.train chooses: train (the default), unlabeled, or train+unlabeled.
#include "data/planar_source.h"

namespace simmim {
namespace {

class Stl10 : public PlanarSource {
 public:
  explicit Stl10(const fs::path& folder) : PlanarSource({.side = 96, .transposed = true}) {
    class_names_ = read_names(folder / "class_names.txt");
    if (class_names_.empty())
      class_names_ = {"airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck"};
  }

  // labels: a path, or empty for images without labels.
  void read(Split split, const fs::path& images, const fs::path& labels) {
    const int64_t count = add_file(images, image_bytes());
    const std::string label_bytes = labels.empty() ? "" : read_file(labels);
    if (!labels.empty() && static_cast<int64_t>(label_bytes.size()) != count)
      fail(Code::data, "{}: {} labels beside {} images", labels.string(), label_bytes.size(), count);
    for (int64_t i = 0; i < count; ++i) {
      const int64_t label = labels.empty() ? -1 : static_cast<uint8_t>(label_bytes[static_cast<size_t>(i)]) - 1;
      if (!labels.empty() && (label < 0 || label >= static_cast<int64_t>(class_names_.size())))
        fail(Code::data, "{}: label {} of image {}; allowed: 1 to {}", labels.string(), label + 1, i,
             class_names_.size());
      add_image(split, fmt::format("{}/{:06}", images.stem().string(), i), i * image_bytes(), label);
    }
  }
};

}  // namespace

std::unique_ptr<Source> open_stl10(const DataOptions& options, const fs::path& root) {
  DataOptions others = options;
  others.train.clear();
  refuse_split_options(others);
  if (!options.train.empty() && options.train != "train" && options.train != "unlabeled" &&
      options.train != "train+unlabeled")
    fail(Code::usage, "data.train: got '{}'; allowed for stl10: train, unlabeled or train+unlabeled", options.train);
  const fs::path folder = folder_with(root, "stl10_binary", "train_X.bin");
  auto source = std::make_unique<Stl10>(folder);
  if (options.train != "unlabeled") source->read(Split::train, folder / "train_X.bin", folder / "train_y.bin");
  if (options.train.ends_with("unlabeled")) source->read(Split::train, folder / "unlabeled_X.bin", {});
  source->read(Split::test, folder / "test_X.bin", folder / "test_y.bin");
  return source;
}

}  // namespace simmim
