#include "data/planar_source.h"

namespace simmim {

void PlanarSource::load(Split split, int64_t index, Image& out) const {
  const Place& place = places_[static_cast<size_t>(split)][static_cast<size_t>(index)];
  const char* from = files_[place.file].bytes().data() + place.offset;
  const int64_t side = layout_.side;
  out.resize(side, side);
  for (int64_t c = 0; c < 3; ++c)
    for (int64_t y = 0; y < side; ++y)
      for (int64_t x = 0; x < side; ++x)
        out.rgb[static_cast<size_t>((y * side + x) * 3 + c)] =
            static_cast<uint8_t>(from[(c * side + (layout_.transposed ? x : y)) * side + (layout_.transposed ? y : x)]);
}

int64_t PlanarSource::add_file(const fs::path& path, int64_t record_bytes) {
  files_.emplace_back(path);
  add_to_stamp(path);
  const int64_t bytes = static_cast<int64_t>(files_.back().bytes().size());
  if (bytes == 0 || bytes % record_bytes != 0)
    fail(Code::data, "{}: {} bytes; expected a multiple of {}: the file is truncated or another one", path.string(),
         bytes, record_bytes);
  return bytes / record_bytes;
}

void PlanarSource::add_image(Split split, std::string name, int64_t offset, int64_t label) {
  items_of(split).push_back({std::move(name), image_bytes(), label});
  places_[static_cast<size_t>(split)].push_back({files_.size() - 1, offset});
}

fs::path folder_with(const fs::path& root, const std::string& inner, const std::string& file) {
  for (const fs::path& folder : {root, root / inner})
    if (fs::exists(folder / file)) return folder;
  fail(Code::data, "{}: neither {} nor {}/{} is there; unpack the binary release here", root.string(), file, inner,
       file);
}

}  // namespace simmim
