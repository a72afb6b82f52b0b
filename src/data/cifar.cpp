// CIFAR-10 and CIFAR-100 (Krizhevsky 2009), binary releases: records of one or two label bytes and 32 x 32 pixels, red
// plane first.
#include "data/planar_source.h"

namespace simmim {
namespace {

class Cifar : public PlanarSource {
 public:
  // label_bytes: CIFAR-100 has the superclass first; the class is the last of them.
  Cifar(int64_t label_bytes, std::vector<std::string> class_names)
      : PlanarSource({.side = 32}), label_bytes_(label_bytes) {
    class_names_ = std::move(class_names);
  }

  void read(Split split, const fs::path& path) {
    const int64_t record = label_bytes_ + image_bytes();
    const int64_t count = add_file(path, record);
    for (int64_t i = 0; i < count; ++i) {
      const auto label = static_cast<uint8_t>(last_file()[static_cast<size_t>(i * record + label_bytes_ - 1)]);
      if (label >= class_names_.size())
        fail(Code::data, "{}: record {} has label {}; allowed: 0 to {}", path.string(), i, label,
             class_names_.size() - 1);
      add_image(split, fmt::format("{}/{:05}", path.stem().string(), i), i * record + label_bytes_, label);
    }
  }

 private:
  int64_t label_bytes_;
};

}  // namespace

std::unique_ptr<Source> open_cifar10(const DataOptions& options, const fs::path& root) {
  refuse_split_options(options);
  const fs::path folder = folder_with(root, "cifar-10-batches-bin", "data_batch_1.bin");
  auto source = std::make_unique<Cifar>(1, std::vector<std::string>{"airplane", "automobile", "bird", "cat", "deer",
                                                                    "dog", "frog", "horse", "ship", "truck"});
  for (int i = 1; i <= 5; ++i) source->read(Split::train, folder / fmt::format("data_batch_{}.bin", i));
  source->read(Split::test, folder / "test_batch.bin");
  return source;
}

std::unique_ptr<Source> open_cifar100(const DataOptions& options, const fs::path& root) {
  refuse_split_options(options);
  const fs::path folder = folder_with(root, "cifar-100-binary", "train.bin");
  std::vector<std::string> names = read_names(folder / "fine_label_names.txt");
  for (size_t i = names.size(); i < 100; ++i) names.push_back(std::to_string(i));
  auto source = std::make_unique<Cifar>(2, std::move(names));
  source->read(Split::train, folder / "train.bin");
  source->read(Split::test, folder / "test.bin");
  return source;
}

}  // namespace simmim
