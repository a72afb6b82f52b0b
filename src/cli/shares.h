// How a sweep shares this machine among its workers: how many, with how many threads each, and which GPU.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "sweep/grid.h"
#include "sweep/slurm.h"

namespace simmim {

struct Shares {
  int jobs = 0, threads = 0;      // jobs = 0: to be measured (--jobs auto)
  std::vector<std::string> gpus;  // that workers are dealt in turn; empty: none asked for, or none here
  std::string text() const;       // "2 workers with 1 thread each"
};

// slurm: what its executor has read; the cores and GPUs of this machine say nothing about those of a cluster.
// What is asked for (jobs: "", a number or "auto"), else what the last plan or the file says; with "gpus" in the file's
// resources, where there are any, that many times "runs_per_gpu" workers; else all cores for one run. Code::usage for
// what is no number, Code::device for more GPUs than are here.
Shares divide_machine(const std::string& jobs, std::optional<int64_t> threads,
                      const std::optional<SlurmResources>& slurm, const SweepFile& sweep, const fs::path& out);

// Every way to give all cores to workers with equally many threads, one thread each first.
std::vector<Shares> divisions();

// Images a second, all together, of `shares.jobs` copies of `simmim bench step WORDS` that train side by side, as a
// sweep's workers do; 0 where one of them fails. Code::interrupted after a signal.
double rate_of(const Shares& shares, const std::vector<std::string>& words);

// For --jobs auto: measures the training step of the run with the most work (runs as in a plan) with one thread on
// every core and with fewer workers of more threads, and keeps the division that gets most images through. A division
// with more workers than runs, or than fit into the memory, is not tried.
void measure_shares(Shares& shares, const Json& runs);

}  // namespace simmim
