// What `simmim data info` tells of a data set, and how fast `simmim bench loader` finds it.
#pragma once
#include "core/json.h"
#include "data/loader.h"

namespace simmim {

// {"name", "fingerprint", "classes", "class_names", "grey", "held_out", "splits": {"train": {"images", "labelled",
// "per_class": {"min", "max"}}, ...}, "sizes": {"min": [h, w], "median", "max"}, "mean", "std",
// "unreadable": {"count", "first": [messages]}}. Sizes and statistics are of at most 2,000 training images, evenly
// spread; `read_all` decodes every image of every split to find the unreadable ones, and takes all into the statistics.
Json data_info(const Dataset& dataset, const DataOptions& options, bool read_all = false);

// Loads batches for about `seconds` after a warm-up batch: {"images_per_second", "images", "seconds", "workers",
// "images_per_second_per_worker", "decode_images_per_second" (decoding alone, one thread)}.
Json loader_rate(const Dataset& dataset, const LoaderOptions& options, double seconds = 5);

}  // namespace simmim
