// Mixup and CutMix by timm's definition (timm/data/mixup.py, mode "batch"): one draw a batch, an image's partner is the
// one as far from the batch's end as it is from its beginning.
#pragma once
#include "config/stages.h"
#include "layers/torch.h"

namespace simmim {

// What one batch is mixed with. lambda: the images' own share; 1: nothing is mixed.
struct Mix {
  double lambda = 1;
  bool cut = false;                                  // the partner's pixels in a rectangle, else a weighted sum
  int64_t top = 0, bottom = 0, left = 0, right = 0;  // the rectangle, clipped to the image
};

inline bool mixes(const FinetuneOptions& options) { return options.mixup > 0 || options.cutmix > 0; }

// A rectangle of the share 1 - lambda around a centre, clipped; lambda becomes the share that is left.
Mix cut_around(double lambda, int64_t centre_y, int64_t centre_x, int64_t size);

// The draw of an optimizer step, for images of size x size; needs mixes(options).
Mix draw_mix(const FinetuneOptions& options, int64_t size, uint64_t seed, int64_t step);

// images, partners (n,3,S,S) normalised; images are changed in place.
void mix_images(const Mix& mix, const Tensor& images, const Tensor& partners);

// labels, partner_labels (n) int64 -> (n,K): each label's 1 - smoothing + smoothing/K, smoothing/K elsewhere, weighted.
Tensor mix_targets(const Mix& mix, const Tensor& labels, const Tensor& partner_labels, int64_t classes,
                   double smoothing, at::ScalarType dtype);

}  // namespace simmim
