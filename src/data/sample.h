// A decoded image -> the square that the encoder sees: crop, flip and perturbations for training, the centre for
// evaluation.
#pragma once
#include <optional>
#include <vector>

#include "data/loader.h"
#include "data/rand_augment.h"
#include "data/resize.h"

namespace simmim {

class Sampler {
 public:
  // Working memory of one thread.
  struct Tools {
    Resizer resize;
    Scratch scratch;
  };

  // Usage error where the RandAugment policy cannot be read. `options` must outlive the sampler.
  explicit Sampler(const LoaderOptions& options);

  // pixels: (3,S,S). What is drawn depends on the seed, the epoch and the image's index alone.
  void operator()(const Image& image, int64_t epoch, int64_t index, Tools& tools, uint8_t* pixels,
                  std::vector<Erasure>& erasures) const;

 private:
  Rng stream(const char* purpose, int64_t epoch, int64_t index) const {
    return Rng(options_.seed, purpose, static_cast<uint64_t>(epoch), static_cast<uint64_t>(index));
  }

  const LoaderOptions& options_;
  const Interpolation interpolation_;
  std::optional<RandAugment> policy_;
};

}  // namespace simmim
