// What several runs need and the first of them makes: fitted centres, a tokenizer.
#pragma once
#include <functional>

#include "core/files.h"
#include "core/json.h"

namespace simmim {

// OUT/shared/WHAT-HASH.SUFFIX, where HASH stands for `determined`: everything that the content depends on. Where it is
// not there yet, `make` writes it whole or not at all (write_file_atomically), under a lock for which others wait.
fs::path shared_file(const fs::path& out, const std::string& what, const Json& determined, const std::string& suffix,
                     const std::function<void(const fs::path&)>& make);

}  // namespace simmim
