// Options that make a variant small enough for the tests that run over every row of a family.
#pragma once
#include <string>

#include "core/json.h"

namespace simmim {

// Of an image of 16 pixels: 4 x 4 cells of 4 pixels.
inline Json small_encoder(const std::string& name) {
  if (name == "vit") return {{"name", "vit"}, {"patch", 4}, {"dim", 16}, {"depth", 2}, {"heads", 2}};
  return {{"name", name}, {"patch", 2}, {"dim", 8}, {"depths", {2, 2}}, {"heads", {1, 2}}, {"window", 4}};
}

// Two stages at most, so that cells of an even number of pixels will do.
inline Json small_head(const std::string& name) {
  Json block = {{"name", name}};
  if (name == "inverse_swin") block.update({{"dim", 8}, {"depths", {1, 2}}, {"heads", {2, 1}}, {"window", 2}});
  return block;
}

}  // namespace simmim
