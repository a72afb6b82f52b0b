// One stage in its run folder, from claim to end: reuse of a finished run, attempts, states, the database.
#pragma once
#include "train/session.h"

namespace simmim {

struct RunOptions {
  fs::path out, database, site_data;
  std::string commit;  // of the program; may be empty
  int threads = 0;     // 0: LibTorch's choice
  bool fresh = false;  // start over, even if the run is done
};

// The same for all processes of this_group(); only the first is given an entry.
//
// entry: one of resolve_stages'. -> {"id","state","summary"} with state done or interrupted. A run that is done is
// returned as it is ("reused": true). Throws what made the run fail, after recording it; Code::run_failed if another
// process holds the run.
Json run_stage(const Json& entry, const RunOptions& options, const EventSink& sink);

// What the machine and the program are, for the record of an attempt.
Json describe_environment(const std::string& commit);

}  // namespace simmim
