#include "train/reconstruct.h"

#include <algorithm>
#include <cmath>

namespace simmim {
namespace {

constexpr int64_t kSmallSide = 96;  // pictures below this are enlarged
constexpr int64_t kGap = 6;
constexpr uint8_t kGrey = 128, kWhite = 255;

// (3,S,S) in [0,1] -> picture
Image to_image(const Tensor& pixels) {
  Image image;
  image.resize(pixels.size(1), pixels.size(2));
  const Tensor bytes = (pixels.permute({1, 2, 0}) * 255).round().to(at::kByte).contiguous();
  std::copy_n(bytes.data_ptr<uint8_t>(), image.rgb.size(), image.rgb.begin());
  return image;
}

void paste(const Image& from, Image& onto, int64_t top, int64_t left, int64_t zoom) {
  for (int64_t y = 0; y < from.h * zoom; ++y)
    for (int64_t x = 0; x < from.w * zoom; ++x)
      std::copy_n(&from.rgb[static_cast<size_t>(((y / zoom) * from.w + x / zoom) * 3)], 3,
                  &onto.rgb[static_cast<size_t>(((top + y) * onto.w + left + x) * 3)]);
}

}  // namespace

void add_to_sheet(Sheet& sheet, const SimMim& model, const StageSetup& setup, const Tensor& images,
                  const Tensor& mask) {
  const at::NoGradGuard no_grad;
  const SimMim::Output out = model.forward(images, mask, StepContext{});
  const int64_t S = images.size(2);
  const Tensor hidden = expand_mask(mask, S).to(at::kDouble).unsqueeze(1);  // (n,1,S,S)
  const Tensor input = setup.denormalise(images);
  const Tensor drawn = setup.denormalise(model.target().draw(out.prediction, images));
  const int64_t factor = S / drawn.size(2);  // a coarse prediction fills its pixels' area
  const Tensor predicted = drawn.repeat_interleave(factor, 2).repeat_interleave(factor, 3);
  const Tensor masked = input * (1 - hidden) + hidden * (kGrey / 255.0);
  const Tensor pasted = input * (1 - hidden) + predicted * hidden;
  for (int64_t i = 0; i < images.size(0); ++i) {
    sheet.rows.push_back({to_image(input[i]), to_image(masked[i]), to_image(predicted[i]), to_image(pasted[i])});
    Json measures = {{"loss", out.image_loss[i].item<double>()}};
    if (out.image_nats.defined()) {
      measures["accuracy"] = 100 * out.image_accuracy[i].item<double>();
      measures["perplexity"] = std::exp(out.image_nats[i].item<double>());
    }
    sheet.measures.push_back(std::move(measures));
  }
}

Image draw_sheet(const Sheet& sheet) {
  Image picture;
  if (sheet.rows.empty()) return picture;
  const int64_t side = sheet.rows[0][0].h, zoom = side >= kSmallSide ? 1 : (kSmallSide + side - 1) / side;
  const auto rows = static_cast<int64_t>(sheet.rows.size());
  const int64_t columns = rows > 4 ? 2 : 1, lines = (rows + columns - 1) / columns, cell = side * zoom + kGap;
  picture.resize(lines * cell + kGap, columns * (4 * cell + 2 * kGap) - kGap);
  std::fill(picture.rgb.begin(), picture.rgb.end(), kWhite);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t k = 0; k < 4; ++k)
      paste(sheet.rows[static_cast<size_t>(row)][static_cast<size_t>(k)], picture, kGap + (row % lines) * cell,
            kGap + (row / lines) * (4 * cell + 2 * kGap) + k * cell, zoom);
  return picture;
}

}  // namespace simmim
