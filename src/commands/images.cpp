#include "commands/images.h"

#include <algorithm>
#include <charconv>

#include "data/resize.h"
#include "masks/from_image.h"

namespace simmim {
namespace {

struct Range {
  Split split;
  int64_t first, last;
};

// "val:0-7", "test:3"; nullopt if it does not look like one.
std::optional<Range> parse_range(const std::string& word) {
  const auto colon = word.find(':');
  if (colon == std::string::npos) return std::nullopt;
  const std::string split = word.substr(0, colon), numbers = word.substr(colon + 1);
  if (std::none_of(kSplits.begin(), kSplits.end(), [&](Split s) { return split == split_name(s); }))
    return std::nullopt;
  const auto dash = numbers.find('-');
  int64_t first = 0, last = 0;
  const auto read = [&](const std::string& text, int64_t& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error != std::errc() || end != text.data() + text.size() || text.empty())
      fail(Code::usage, "{}: images of a split are written {}:0-7 or {}:3", word, split, split);
  };
  read(numbers.substr(0, dash), first);
  last = first;
  if (dash != std::string::npos) read(numbers.substr(dash + 1), last);
  if (first > last) fail(Code::usage, "{}: the range ends before it begins; write {}:{}-{}", word, split, last, first);
  return Range{parse_split(split, word), first, last};
}

void append(NamedPixels& out, const std::string& name, const Image& image, const StageSetup& setup, Resizer& resizer) {
  const LoaderOptions rules = setup.evaluation(Split::test, 1);
  const int64_t S = setup.data.image_size;
  const CentreCrop crop = centre_crop(image.h, image.w, S, rules.eval_crop);
  const size_t start = out.pixels.size();
  out.pixels.resize(start + static_cast<size_t>(3 * S * S));
  resizer(PixelView{image.rgb.data(), image.h, image.w, image.w * 3},
          rules.augment.interpolation == "bicubic" ? Interpolation::bicubic : Interpolation::bilinear,
          ResizeTarget{crop.resized_h, crop.resized_w, crop.top, crop.left, S, S}, out.pixels.data() + start);
  out.names.push_back(name);
}

}  // namespace

NamedPixels read_images(const std::vector<std::string>& words, const StageSetup& setup) {
  NamedPixels out;
  Resizer resizer;
  for (const std::string& word : words) {
    if (const std::optional<Range> range = parse_range(word)) {
      const int64_t size = setup.dataset ? setup.dataset->size(range->split) : 0;
      if (range->last >= size)
        fail(Code::usage, "{}: {} has {} images in {}; allowed: {}", word, setup.data.name, size,
             split_name(range->split), size > 0 ? fmt::format("0 to {}", size - 1) : "another split");
      for (int64_t i = range->first; i <= range->last; ++i)
        append(out, setup.dataset->item_name(range->split, i), setup.dataset->load(range->split, i), setup, resizer);
    } else if (std::error_code ignored; fs::is_directory(word, ignored)) {
      std::vector<fs::path> files;
      for (const auto& entry : fs::recursive_directory_iterator(word))
        if (has_image_suffix(entry.path())) files.push_back(entry.path());
      if (files.empty()) fail(Code::data, "{}: no .jpg, .jpeg, .png or .webp file in this folder or below it", word);
      std::sort(files.begin(), files.end());
      for (const fs::path& file : files) append(out, file.string(), decode_image_file(file), setup, resizer);
    } else {
      append(out, word, decode_image_file(word), setup, resizer);
    }
  }
  return out;
}

Mask mask_of(const Image& drawn, Grid grid, const std::string& file) {
  std::string grey;
  for (size_t i = 0; i < drawn.rgb.size(); i += 3) grey.push_back(static_cast<char>(drawn.rgb[i]));
  return mask_from_image(grey, drawn.h, drawn.w, grid, file);
}

}  // namespace simmim
