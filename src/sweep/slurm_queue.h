// What is asked of Slurm itself: sbatch, squeue and scontrol, never sacct (many clusters keep no accounts).
//
// Each submission of a sweep has a folder of its own, OUT/sweeps/NAME/slurm/N: the scripts, the rows, the output of the
// jobs, and submitted.json, {"pretrain": "12", ...}: the job number of each array, written as soon as there is one.
#pragma once
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "sweep/slurm.h"

namespace simmim {

fs::path submissions_folder(const fs::path& out, const std::string& sweep);  // OUT/sweeps/NAME/slurm
fs::path next_submission(const fs::path& submissions);                       // the first N that is free

// The runs of earlier submissions that wait or run at this moment. Code::run_failed with squeue's words if it cannot
// say; nothing is asked where nothing was submitted.
std::map<std::string, SlurmElement> queued_runs(const fs::path& submissions);

int64_t max_array_size();  // of this cluster; Slurm's default where there is none

struct SubmittedArray {
  SlurmArray array;
  std::string job;
};
// Writes scripts and rows and hands them to sbatch, parents first; `script` makes an array's text. Code::usage where
// there is no sbatch, Code::run_failed with sbatch's words and the script if it refuses; what was submitted before
// stays and is recorded.
std::vector<SubmittedArray> submit_arrays(const std::vector<SlurmArray>& arrays, const fs::path& folder,
                                          const std::function<std::string(const SlurmArray&)>& script);

// Puts the element of an array that this process is back into the queue; "" or Slurm's words why not. Nothing is asked
// where Slurm has taken the job away already: a person cancelled it, or it is back in the queue (preempted without
// grace). From then on Slurm asks this process to end: it is to return at once, with 0.
std::string requeue_this_job();

// The row of the array that this process is. Code::usage if it is none.
int64_t slurm_index();

}  // namespace simmim
