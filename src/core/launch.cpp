#include "core/launch.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "core/error.h"

namespace simmim {
namespace {

using Variables = std::function<const char*(const char* name)>;

// The names by which a launcher tells a process its place; `size` alone decides whether there is one.
struct Names {
  const char *launcher, *size, *rank, *local_rank, *local_size;
  bool mpi;
};
constexpr Names kLaunchers[] = {
    {"torchrun", "WORLD_SIZE", "RANK", "LOCAL_RANK", "LOCAL_WORLD_SIZE", false},
    {"mpirun", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_LOCAL_RANK",
     "OMPI_COMM_WORLD_LOCAL_SIZE", true},
    {"mpiexec", "PMI_SIZE", "PMI_RANK", "MPI_LOCALRANKID", "MPI_LOCALNRANKS", true},
    {"srun", "SLURM_STEP_NUM_TASKS", "SLURM_PROCID", "SLURM_LOCALID", "SLURM_STEP_TASKS_PER_NODE", false},
    {"srun", "SLURM_NTASKS", "SLURM_PROCID", "SLURM_LOCALID", "SLURM_TASKS_PER_NODE", false},
};

bool is_set(const char* text) { return text != nullptr && *text != '\0'; }

int whole_number(const Variables& variable, const char* name, int otherwise) {
  const char* text = variable(name);
  if (!is_set(text)) return otherwise;
  int value = 0;
  const char* end = text + std::char_traits<char>::length(text);
  const auto [stop, error] = std::from_chars(text, end, value);
  const bool counts_nodes = *stop == '(' || *stop == ',';  // Slurm's "4(x2),3": the first node's
  if (error != std::errc() || (stop != end && !counts_nodes) || value < 0)
    fail(Code::usage, "{}: got '{}', expected a whole number; it is set by what starts several processes: unset it",
         name, text);
  return value;
}

int slurm_port(const Variables& variable) {
  const int job = whole_number(variable, "SLURM_JOB_ID", 0), step = whole_number(variable, "SLURM_STEP_ID", 0);
  return 20000 + (job * 31 + step) % 40000;
}

}  // namespace

std::string first_host(const std::string& list) {
  const size_t end = list.find_first_of("[,");
  std::string host = list.substr(0, end);
  if (end == std::string::npos || list[end] == ',') return host;
  const size_t number_end = list.find_first_of("-,]", end);
  return host + list.substr(end + 1, number_end - end - 1);
}

Launch read_launch(const Variables& variable) {
  for (const Names& names : kLaunchers) {
    if (!is_set(variable(names.size))) continue;
    Launch launch{.launcher = names.launcher, .says = fmt::format("{}={}", names.size, variable(names.size))};
    launch.size = whole_number(variable, names.size, 1);
    if (launch.size <= 1) return {};
    launch.rank = whole_number(variable, names.rank, 0);
    launch.local_rank = whole_number(variable, names.local_rank, 0);
    launch.local_size = std::max(1, whole_number(variable, names.local_size, 1));
    if (launch.rank >= launch.size)
      fail(Code::usage, "{}: got {}, but {} allows 0 to {}; unset both to run as one process", names.rank, launch.rank,
           launch.says, launch.size - 1);
    const bool slurm = launch.launcher == "srun";
    launch.certain = std::string_view(names.size) != "SLURM_NTASKS";
    launch.has_mpi = names.mpi || (slurm && is_set(variable("PMIX_RANK")));
    launch.hosts_store = is_set(variable("TORCHELASTIC_USE_AGENT_STORE")) &&
                         std::string(variable("TORCHELASTIC_USE_AGENT_STORE")) == "True";
    if (is_set(variable("MASTER_ADDR"))) launch.address = variable("MASTER_ADDR");
    launch.port = whole_number(variable, "MASTER_PORT", slurm ? slurm_port(variable) : 0);
    if (slurm && launch.address.empty())
      for (const char* nodes : {"SLURM_STEP_NODELIST", "SLURM_JOB_NODELIST"})
        if (launch.address.empty() && is_set(variable(nodes))) launch.address = first_host(variable(nodes));
    return launch;
  }
  return {};
}

void check_alone(const Launch& launch, const char* command) {
  if (launch.many() && launch.certain)
    fail(Code::usage, "{}: runs as one process, but {} started {} ({}); start it without {}", command, launch.launcher,
         launch.size, launch.says, launch.launcher);
}

const Launch& this_launch() {
  static const Launch launch = read_launch([](const char* name) { return std::getenv(name); });
  return launch;
}

}  // namespace simmim
