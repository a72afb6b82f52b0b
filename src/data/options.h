// The `data` block of a configuration: which images, how they are split, and how pixels become numbers.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "core/fields.h"
#include "core/json.h"

namespace simmim {

struct DataOptions {
  std::string name = "fashion_mnist";
  std::string root;              // "": the usual places, see open_dataset
  std::string train, val, test;  // "": the data set's own splits
  double holdout = 0.1;          // < 1: a share; >= 1: a number of images
  int64_t split_seed = 0;
  Json mean = "auto", std = "auto";
  int64_t image_size = 32;
  std::optional<double> eval_crop;
  int64_t limit = 0;
  std::optional<int64_t> workers;
  std::string on_error = "skip";
  bool verify = false;
  bool cache = true;
  std::optional<int64_t> images, classes;

  static void fields(auto& o, auto&& visit) {
    visit("name", o.name, "data set",
          {.choices = {"fashion_mnist", "cifar10", "cifar100", "stl10", "image_folder", "tar_shards", "photo_tiles"}});
    visit("root", o.root, "folder of the data set; empty: looked for in the usual places", {.in_id = false});
    visit("train", o.train,
          "images learnt from: a folder, tar pattern (shard-{000..009}.tar) or list file "
          "(path,label,split), relative to root; stl10: train, unlabeled or train+unlabeled",
          {.in_id = false});
    visit("val", o.val, "images that choose; empty: the data set's own, else held out of train", {.in_id = false});
    visit("test", o.test, "images that are reported; empty: the data set's own", {.in_id = false});
    visit("holdout", o.holdout,
          "share (below 1) or number of training images set aside, by class, as val where "
          "there is no val",
          {.min = 0});
    visit("split_seed", o.split_seed, "seed of the held-out images and of the limit, the same for every run",
          {.min = 0});
    visit("mean", o.mean,
          "normalisation: auto, imagenet, dataset, measure (train split) or three numbers (0 to 1); "
          "auto is imagenet for colour, dataset for grey; dataset of stl10 is what published code has, not computed "
          "here");
    visit("std", o.std, "as mean");
    visit("image_size", o.image_size, "pixels a side that the encoder sees", {.min = 4, .max = 4096});
    visit("eval_crop", o.eval_crop,
          "side of the evaluation's centre crop as a share of the image's short side; auto "
          "is 0.875, and 1 for images of at most 64 px",
          {.min = 0.1, .max = 1});
    visit("limit", o.limit, "use at most this many images of each split, balanced by class; 0: all", {.min = 0});
    visit("workers", o.workers, "decoding threads; 0: decode in the training thread",
          {.min = 0, .max = 1024, .in_id = false});
    // In the id: a run that skipped images is no answer to one that must not.
    visit("on_error", o.on_error, "an unreadable image is skipped and counted, or ends the run",
          {.choices = {"skip", "fail"}});
    visit("verify", o.verify, "fingerprint the bytes of all images too, not only names, sizes and labels",
          {.in_id = false});
    visit("cache", o.cache, "decode small sets once, into a file of the user's cache that all processes map",
          {.in_id = false});
    visit("images", o.images, "number of training images, to plan where the data are not", {.min = 1, .in_id = false});
    visit("classes", o.classes, "number of classes, to plan where the data are not", {.min = 0, .in_id = false});
  }
};

// The evaluation crop's share: as given, else by the rule of the help text.
inline double eval_crop(const DataOptions& data) {
  return data.eval_crop.value_or(data.image_size <= 64 ? 1.0 : 0.875);
}

}  // namespace simmim
