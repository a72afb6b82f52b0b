// The table of encoders, and the presets that fill their options.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "core/registry.h"
#include "encoders/encoder.h"

namespace simmim {

using EncoderFamily = Family<Encoder, const Scope&, const EncoderSite&>;
const EncoderFamily& encoders();

// Preset name -> the block it stands for, with "name" and "preset" in it:
// {"name":"vit","preset":"vit_nano","patch":4,...}.
const std::vector<std::pair<std::string, Json>>& presets();

// What a user wrote about the encoder ("name", "preset", single options; any may be absent) -> the complete block:
// preset filled in, every option checked, an unset window replaced by what follows from the size. Usage errors name
// `path` ("encoder"); a size that does not fit names the nearest that does.
Json resolve_encoder(const Json& given, int64_t image_size, const std::string& path = "encoder");

}  // namespace simmim
