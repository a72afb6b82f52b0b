#include "train/stage.h"

#include "config/resolve.h"
#include "core/error.h"
#include "kernels/device.h"
#include "layers/upload.h"

namespace simmim {

StageSetup make_setup(const Json& config, const fs::path& site_data, bool needs_data, const Launch& launch) {
  StageSetup setup;
  setup.config = config;
  setup.data = options_of<DataOptions>(config, "data");
  if (needs_data) setup.dataset = shared_dataset(setup.data, site_data);
  setup.normalisation = resolve_normalisation(setup.data, setup.dataset.get());
  setup.seed = config.at("seed").get<uint64_t>();
  const std::string precision = config.at("precision");
  setup.context = {.seed = setup.seed,
                   .dtype = precision == "f64" ? at::kDouble : at::kFloat,
                   .device = rank_device(config.at("device"), launch.local_rank),
                   .autocast = precision == "bf16"};
  setup.launch = launch;
  setup.workers = setup.data.workers.value_or(  // a host's processes share its cores
      std::max<int64_t>(1, default_workers(!setup.context.device.is_cpu()) / launch.local_size));
  return setup;
}

Tensor StageSetup::normalise(const std::vector<uint8_t>& pixels, int64_t first, int64_t last) const {
  const int64_t S = data.image_size, image = 3 * S * S;
  const Tensor bytes =
      at::from_blob(const_cast<uint8_t*>(pixels.data() + first * image), {last - first, 3, S, S}, at::kByte);
  Tensor factor = at::empty({1, 3, 1, 1}, at::kDouble), shift = at::empty({1, 3, 1, 1}, at::kDouble);
  for (int64_t c = 0; c < 3; ++c) {
    const auto channel = static_cast<size_t>(c);
    factor.data_ptr<double>()[c] = 1 / (255 * normalisation.std[channel]);
    shift.data_ptr<double>()[c] = -normalisation.mean[channel] / normalisation.std[channel];
  }
  const auto there = [&](const Tensor& tensor) { return upload(tensor, context.device).to(context.dtype); };
  return there(bytes).mul_(there(factor)).add_(there(shift));
}

Tensor StageSetup::images(const Batch& batch, int64_t first, int64_t last) const {
  const Tensor out = normalise(batch.pixels, first, last);
  for (int64_t i = first; i < last; ++i)
    for (const Erasure& erased : batch.erasures[static_cast<size_t>(i)]) {
      const bool one_color = erased.values.size() == 3;
      const Tensor values = at::from_blob(const_cast<float*>(erased.values.data()),
                                          {3, one_color ? 1 : erased.h, one_color ? 1 : erased.w}, at::kFloat);
      out[i - first]
          .slice(1, erased.top, erased.top + erased.h)
          .slice(2, erased.left, erased.left + erased.w)
          .copy_(values);
    }
  return out;
}

Tensor StageSetup::denormalise(const Tensor& images) const {
  Tensor out = images.detach().to(at::kCPU).to(at::kDouble).clone();
  for (int64_t c = 0; c < 3; ++c) {
    const auto channel = static_cast<size_t>(c);
    out.select(1, c).mul_(normalisation.std[channel]).add_(normalisation.mean[channel]);
  }
  return out.clamp_(0, 1);
}

int64_t StageSetup::own_share(int64_t batch_size) const {
  const int64_t ranks = launch.size, below = batch_size / ranks * ranks;
  if (below != batch_size)
    fail(Code::usage, "{}.batch_size: {} images a step do not divide among {} processes; use {}{}",
         config.at("stage").get<std::string>(), batch_size, ranks, below > 0 ? fmt::format("{} or ", below) : "",
         below + ranks);
  return batch_size / ranks;
}

LoaderOptions StageSetup::training(int64_t batch_size, const AugmentOptions& augment) const {
  own_share(batch_size);
  return {.split = Split::train,
          .batch_size = batch_size,
          .image_size = data.image_size,
          .workers = workers,
          .seed = seed,
          .augment = augment,
          .fill = fill_of(normalisation.mean),
          .eval_crop = eval_crop(data),
          .fail_on_error = data.on_error == "fail",
          .share = launch.rank,
          .shares = launch.size};
}

LoaderOptions StageSetup::evaluation(Split split, int64_t batch_size) const {
  const std::string stage = config.at("stage");
  LoaderOptions options{.split = split,
                        .batch_size = batch_size,
                        .image_size = data.image_size,
                        .workers = workers,
                        .eval_crop = eval_crop(data),
                        .shuffle = false,
                        .drop_last = false,
                        .endless = false,
                        .fail_on_error = data.on_error == "fail"};
  options.augment.enabled = false;
  options.augment.interpolation = stage == "pretrain" ? "bilinear" : "bicubic";
  return options;
}

Tensor mask_tensor(const std::vector<Mask>& masks, Grid grid) {
  Tensor out = at::empty({static_cast<int64_t>(masks.size()), grid.h, grid.w}, at::kByte);
  uint8_t* at = out.data_ptr<uint8_t>();
  for (const Mask& mask : masks) at = std::copy(mask.begin(), mask.end(), at);
  return out;
}

namespace {
Tensor draw_masks(const MaskGenerator& generator, uint64_t seed, const char* purpose, int64_t epoch,
                  const std::vector<int64_t>& indices) {
  std::vector<Mask> masks;
  for (const int64_t index : indices) {
    Rng rng(seed, purpose, static_cast<uint64_t>(epoch), static_cast<uint64_t>(index));
    masks.push_back(generator.generate(rng));
  }
  return mask_tensor(masks, generator.grid());
}
}  // namespace

Tensor training_masks(const MaskGenerator& generator, uint64_t seed, int64_t epoch,
                      const std::vector<int64_t>& indices) {
  return draw_masks(generator, seed, "mask", epoch, indices);
}

Tensor fixed_masks(const MaskGenerator& generator, uint64_t seed, const std::vector<int64_t>& indices) {
  return draw_masks(generator, seed, "fixed mask", 0, indices);
}

}  // namespace simmim
