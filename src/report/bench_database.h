// How fast the database answers when it is large: `simmim bench database`.
#pragma once
#include <functional>

#include "core/files.h"
#include "core/json.h"

namespace simmim {

struct DatabaseBench {
  int64_t runs = 10000, metrics = 1000000;  // metrics: rows in all
  int repeats = 5;
};

// Fills a database and run folders below `folder` (which should be empty) and times the light commands' work, opening
// included: [{"what", "milliseconds" (median), "worst"}]. on_filled hears how many runs are there meanwhile.
Json bench_database(const fs::path& folder, const DatabaseBench& size = {},
                    const std::function<void(int64_t runs)>& on_filled = {});

}  // namespace simmim
