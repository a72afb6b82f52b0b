#include "commands/commands.h"
#include "commands/images.h"
#include "data/image.h"
#include "masks/distance.h"

namespace simmim {
namespace {

constexpr int64_t kSide = 96, kGap = 8, kColumns = 8;
constexpr uint8_t kHidden = 64, kVisible = 224, kPaper = 255;

Image draw_masks(const std::vector<Mask>& masks, Grid grid) {
  const auto n = static_cast<int64_t>(masks.size());
  const int64_t columns = std::min(n, kColumns), rows = (n + columns - 1) / columns;
  const int64_t zoom = std::max<int64_t>(1, kSide / grid.w), side = zoom * grid.w;
  Image picture;
  picture.resize(rows * (side + kGap) + kGap, columns * (side + kGap) + kGap);
  std::fill(picture.rgb.begin(), picture.rgb.end(), kPaper);
  for (int64_t i = 0; i < n; ++i)
    for (int64_t y = 0; y < side; ++y)
      for (int64_t x = 0; x < side; ++x) {
        const bool hidden = masks[static_cast<size_t>(i)][static_cast<size_t>((y / zoom) * grid.w + x / zoom)] != 0;
        const int64_t row = kGap + (i / columns) * (side + kGap) + y, column = kGap + (i % columns) * (side + kGap) + x;
        std::fill_n(&picture.rgb[static_cast<size_t>((row * picture.w + column) * 3)], 3, hidden ? kHidden : kVisible);
      }
  return picture;
}

std::vector<Mask> masks_of(const Json& request, const Json& config, const MaskGenerator& generator) {
  if (request.contains("mask")) {
    const std::string file = request["mask"];
    return {mask_of(decode_image_file(file), generator.grid(), file)};
  }
  const int64_t count = request.value("count", int64_t{8});
  if (count < 1 || count > 100000) fail(Code::usage, "--count: got {}; allowed: 1 to 100000", count);
  std::vector<Mask> masks;
  for (int64_t i = 0; i < count; ++i) {
    Rng rng(config["seed"].get<uint64_t>(), "mask preview", 0, static_cast<uint64_t>(i));
    masks.push_back(generator.generate(rng));
  }
  return masks;
}

}  // namespace

Json mask_command(const Json& request, const EventSink&) {
  const Json config = model_config(resolve_request(request), "pretrain");
  const std::unique_ptr<MaskGenerator> generator = make_masks(config);
  const std::vector<Mask> masks = masks_of(request, config, *generator);
  const int64_t patch = config["mask"]["patch"];
  const auto count = static_cast<double>(masks.size());
  Json each = Json::array();
  double ratio = 0, distance = 0;
  for (const Mask& mask : masks) {
    const double far = avg_dist(mask, generator->grid(), patch);
    each.push_back({{"ratio", masked_share(mask)}, {"avg_dist", far}});
    ratio += masked_share(mask) / count;
    distance += far / count;
  }
  Json out = {{"mask", config["mask"]},
              {"image_size", config["data"]["image_size"]},
              {"grid", fmt::format("{} x {}", generator->grid().h, generator->grid().w)},
              {"ratio", ratio},
              {"avg_dist", distance},
              {"masks", std::move(each)}};
  if (request.contains("output")) {
    write_file_atomically(request["output"].get<std::string>(), encode_png(draw_masks(masks, generator->grid())));
    out["output"] = request["output"];
  }
  return out;
}

}  // namespace simmim
