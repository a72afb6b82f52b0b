// Whether the weights that a stage starts from fit its model: by names and shapes alone, before anything is trained.
#pragma once
#include <string>

#include "core/json.h"
#include "weights/tensor_file.h"

namespace simmim {

// What a pre-training of this configuration will leave: names and shapes without bytes.
NamedViews planned_weights(const Json& pretrain_config);

// config: of a resolved stage, as planned; classes: of its data; given: under official names; where: what they are
// called. Code::data, or Code::usage where options of the encoder are `asked` for, with what does not fit.
void check_weights_fit(const Json& config, int64_t classes, const NamedViews& given, const std::string& where,
                       bool asked);

}  // namespace simmim
