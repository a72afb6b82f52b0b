// A sweep as Slurm job arrays: which runs stand in which array, what each array follows, and the script of each. Pure:
// plan and resources in, text out; slurm_queue.h talks to Slurm.
//
// An element of an array is a run by the frozen list NAME.rows, never "the next one that waits": what is submitted
// stays what it was, whatever happens to the sweep file.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/fields.h"
#include "core/files.h"
#include "core/json.h"

namespace simmim {

// Of each run.
struct SlurmResources {
  std::string partition, account, qos, constraint, memory;
  int64_t threads = 4, gpus = 0;
  double hours = 0;
  std::vector<std::string> options;

  static void fields(auto& o, auto&& visit) {
    visit("partition", o.partition, "partition; empty: the cluster's default");
    visit("account", o.account, "account");
    visit("qos", o.qos, "quality of service");
    visit("constraint", o.constraint, "features of a node");
    visit("memory", o.memory, "memory a run, as sbatch writes it: 16G; empty: the cluster's default");
    visit("threads", o.threads, "threads a run; they stay as they are once there is a plan", FieldRule{.min = 1});
    visit("gpus", o.gpus, "GPUs a run", FieldRule{.min = 0});
    visit("hours", o.hours,
          "time limit; a run that needs longer saves and goes on in the next slot; 0: the partition's",
          FieldRule{.min = 0});
    visit("options", o.options, "more options of sbatch, word by word: [\"--exclude=n7\"]");
  }
};

// Refuses what is no "resources" of a sweep, for whichever executor. Code::usage.
void check_resources(const Json& resources, const std::string& where);

// Those of the site, and of the sweep above them. Code::usage for what is unknown or out of range.
SlurmResources read_slurm_resources(const Json& site, const Json& sweep);

struct SlurmElement {
  std::string job;  // a job's number
  int64_t index = 0;
  std::string text() const { return fmt::format("{}_{}", job, index); }
};

struct SlurmArray {
  std::string name;                     // "pretrain", "finetune-2": NAME.sh, NAME.rows
  std::map<int64_t, std::string> rows;  // index -> run
  std::string after;                    // name or job number of the array that holds the parents; "": they are done
  std::optional<int64_t> element;       // all rows follow this element of it; otherwise each that of its own index
};

// `runs`: what is to be submitted, parents first; `queued`: where parents are that were submitted earlier.
// Parents with one child each: one array, index by index. Shared parents: one array for the first children of all, one
// for the second ones ...; or, where that makes fewer, one array for the children of each parent.
// No array is longer than max_size.
std::vector<SlurmArray> slurm_arrays(const Json& plan, const std::vector<std::string>& runs,
                                     const std::map<std::string, SlurmElement>& queued, int64_t max_size);

// "aftercorr:JOB", "afterok:JOB_INDEX" or "". `jobs`: the numbers of arrays that are submitted, by name; one that is
// not stands there by its name.
std::string slurm_dependency(const SlurmArray& array, const std::map<std::string, std::string>& jobs);

// Everything absolute: a job starts on another machine.
struct SlurmPlace {
  fs::path folder;  // of the scripts
  fs::path plan_file, out, database, program, start_folder;
  int64_t at_once = 0;  // elements of an array that run at a time; 0: as many as the cluster has room for
};
std::string slurm_script(const Json& plan, const SlurmArray& array, const SlurmResources& resources,
                         const SlurmPlace& place);

std::string slurm_rows(const SlurmArray& array);  // one "INDEX RUN" a line
std::map<int64_t, std::string> read_slurm_rows(const fs::path& file);

}  // namespace simmim
