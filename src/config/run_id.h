// A run's id: a hash of what determines its result and of nothing else. Equal id = equal result = the run is reused.
#pragma once
#include <map>
#include <string>

#include "core/json.h"

namespace simmim {

// The result versions of the parts that a stage uses (stage_config["stage"] names it; its precision and masks matter).
// Raise a number by hand when a change of the program changes what that part computes; runs made before are then stale.
// tests/config/run_id_test.cpp compares a few numbers with golden ones and asks for it.
Json result_versions(const Json& stage_config);

// A stage's configuration less what cannot change a result (roots, workers, device, log and save intervals) and less
// every option at its default, so that a new option changes no old id.
Json essential(const Json& stage_config);

// 12 hex digits. parent: the id of the run whose weights it starts from, or ""; files: content hashes of the files it
// reads; fingerprint: of the data set.
std::string run_id(const Json& stage_config, const std::string& parent, const std::string& fingerprint,
                   const std::map<std::string, std::string>& files);

// The same without result versions, parent being the parent's: it joins a run with what it was before a version was
// raised.
std::string unversioned_id(const Json& stage_config, const std::string& parent, const std::string& fingerprint,
                           const std::map<std::string, std::string>& files);

}  // namespace simmim
