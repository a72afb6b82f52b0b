// For the tests over every row of the targets: what a row must be told besides its defaults, the files that it reads.
#pragma once
#include "core/fields.h"

namespace simmim {

inline Json needed_options(const auto& row, Json options = Json::object()) {
  for (const FieldDescription& field : row.describe())
    if (field.name == "tokenizer") options["tokenizer"] = SIMMIM_SOURCE_DIR "/tests/targets/files/dvae.safetensors";
  return options;
}

}  // namespace simmim
