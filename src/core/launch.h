// How this process was started: alone, or as one of several that share one run (by mpirun, srun or torchrun).
#pragma once
#include <functional>
#include <string>

namespace simmim {

struct Launch {
  std::string launcher;                // "mpirun", "mpiexec", "srun", "torchrun"; "": alone
  std::string says;                    // what names the size, for messages: "SLURM_NTASKS=4"
  int rank = 0, size = 1;              // of all processes
  int local_rank = 0, local_size = 1;  // of this host's
  bool certain = true;                 // false: Slurm allotted that many tasks, but no srun is to be seen
  bool has_mpi = false;                // the launcher introduces the processes to one another through MPI
  bool hosts_store = false;            // the launcher itself answers at address:port
  std::string address;                 // where rank 0 is met without MPI; "": not known
  int port = 0;

  bool many() const { return size > 1; }
};

// From the environment: torchrun's variables, then Open MPI's, PMI's, Slurm's. A size of 1, or none, is alone.
// Code::usage for a number that is none and for a rank outside of 0 .. size - 1.
Launch read_launch(const std::function<const char*(const char* name)>& variable);
const Launch& this_launch();  // of this process's environment, read once

// Code::usage where a command that does its work in one process is started as several.
void check_alone(const Launch& launch, const char* command);

// The first host of Slurm's short form: "gpu[007-009,12],login" -> "gpu007".
std::string first_host(const std::string& node_list);

}  // namespace simmim
