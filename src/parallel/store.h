// Where processes meet without MPI: a key and a value at an address that all of them know.
#pragma once
#include <functional>
#include <string>

#include "core/launch.h"

namespace simmim {

// Rank 0's words on every rank, by a c10d::TCPStore at the launch's address: rank 0's own, or the launcher's
// (torchrun). The store lives as long as the process. Code::run_failed if the others do not come within five minutes.
std::string meet_at_store(const Launch& launch, const std::function<std::string()>& words_of_first);

}  // namespace simmim
