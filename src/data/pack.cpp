#include "data/pack.h"

#include "data/resize.h"
#include "data/tar.h"

namespace simmim {
namespace {

// The image as packed pixels; bicubic, as Pillow's resize. Small images keep their size.
std::string reduced(const Image& image, int64_t short_side) {
  const int64_t shorter = std::min(image.h, image.w);
  if (shorter <= short_side) return encode_ppm(image);
  const auto scaled = [&](int64_t side) { return (side * short_side + shorter / 2) / shorter; };
  return encode_ppm(resize_image(image, scaled(image.h), scaled(image.w), Interpolation::bicubic));
}

}  // namespace

Packed pack_dataset(const Dataset& dataset, const fs::path& destination, const PackOptions& options) {
  make_folder(destination);
  for (const auto& entry : fs::directory_iterator(destination))
    if (entry.path().extension() == ".tar")
      fail(Code::data, "{}: holds {} already; choose an empty folder", destination.string(),
           entry.path().filename().string());
  int64_t total = 0, done = 0;
  for (Split split : kSplits) total += dataset.size(split);
  Packed packed;
  std::string image, suffix;
  for (Split split : kSplits)
    for (int64_t begin = 0; begin < dataset.size(split); begin += options.images_per_shard) {
      const int64_t end = std::min(begin + options.images_per_shard, dataset.size(split));
      const fs::path path =
          destination / fmt::format("{}-{:06}.tar", split_name(split), begin / options.images_per_shard);
      write_file_atomically(path, 0, [&](const Append& append) {
        const auto add = [&](int64_t index, const std::string& end_of_name, std::string_view content) {
          append_tar_entry(append, fmt::format("{:08}.{}", index, end_of_name), content);
          packed.bytes += static_cast<int64_t>(content.size());
        };
        for (int64_t i = begin; i < end; ++i) {
          if (options.progress && done % 256 == 0) options.progress(done, total);
          ++done;
          try {
            if (options.pixels > 0) {
              image = reduced(dataset.load(split, i), options.pixels), suffix = "ppm";
            } else {
              image = dataset.encoded(split, i, suffix);
              probe_image(image, dataset.item_name(split, i));
            }
          } catch (const ImageError&) {
            ++packed.skipped;
            continue;
          }
          ++packed.images;
          const int64_t label = dataset.label(split, i);
          if (label >= 0) add(i, "cls", std::to_string(label));
          add(i, suffix, image);
        }
        append_tar_end(append);
      });
      ++packed.shards;
    }
  if (dataset.classes() > 0) {
    std::string names;
    for (const std::string& name : dataset.class_names()) names += name + "\n";
    write_file_atomically(destination / "classes.txt", names);
  }
  if (options.progress) options.progress(total, total);
  return packed;
}

}  // namespace simmim
