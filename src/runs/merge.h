// Another results folder taken over: what is not here yet is copied, what is here too stays beside ours as a copy.
#pragma once
#include <string>

#include "core/files.h"
#include "core/json.h"

namespace simmim {

// Copies the runs and sweeps of `from`, which may be read-only. A copy takes its name only when it is whole, nothing of
// ours is overwritten, and the same call again goes on where a killed one stopped. A run that is here too:
// - equal to ours (results and final weights): nothing to do;
// - otherwise all its files that differ come into runs/ID/copies/HASH; where only theirs is done, theirs takes the
//   run's place and ours becomes the copy.
// A sweep of a name that is here with another plan becomes NAME-merged. Runs that somebody holds are left out.
// -> {"taken_over","already_here","copies","replaced","still_running","sweeps":[..],"differences":[{"run","key","here",
// "there","difference"}]}; the runs that changed are to be taken into the database again: "changed": [ids].
// Code::usage if `from` is no results folder; Code::run_failed while another gc or merge works here.
Json merge_results(const fs::path& from, const fs::path& out);

// The copies that merging left in a run's folder, and which results differ from the run's own:
// {"copies":[{"copy","host",
// "started_at","state","same_weights"}],"differences":[{"copy","key","here","there","difference"}]}.
Json run_copies(const fs::path& folder);

// Folders of copies, in order of their names.
std::vector<fs::path> copy_folders(const fs::path& run_folder);

}  // namespace simmim
