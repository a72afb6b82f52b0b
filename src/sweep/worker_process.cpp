#include "sweep/worker_process.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "core/error.h"

extern char** environ;

namespace simmim {
namespace {

// The file actions and attributes of posix_spawn, given back at the end of the scope. posix_spawn never copies this
// process, which may have loaded the engine and started its threads.
struct SpawnSetup {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  SpawnSetup() {
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
    sigset_t handled;
    sigemptyset(&handled);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) sigaddset(&handled, number);
    posix_spawnattr_setsigdefault(&attributes, &handled);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnSetup() {
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
  }
};

// Cores on which this thread runs until the end of the scope: a process that it spawns meanwhile keeps them.
class Pinned {
 public:
  explicit Pinned(const std::vector<int>& cores) : pins_(!cores.empty()) {
    if (!pins_ || sched_getaffinity(0, sizeof before_, &before_) != 0) return;
    cpu_set_t set;
    CPU_ZERO(&set);
    for (const int core : cores) CPU_SET(core, &set);
    sched_setaffinity(0, sizeof set, &set);  // refused: slower, not wrong
  }
  ~Pinned() {
    if (pins_) sched_setaffinity(0, sizeof before_, &before_);
  }

 private:
  bool pins_;
  cpu_set_t before_;
};

}  // namespace

std::vector<int> core_numbers(pid_t process) {
  cpu_set_t set;
  if (sched_getaffinity(process, sizeof set, &set) != 0) return {0};
  std::vector<int> cores;
  for (int core = 0; core < CPU_SETSIZE; ++core)
    if (CPU_ISSET(core, &set)) cores.push_back(core);
  return cores;
}

std::vector<int> cores_of_worker(int worker, int workers, int threads) {
  const std::vector<int> cores = core_numbers();
  if (workers < 2 || static_cast<size_t>(workers) * static_cast<size_t>(threads) != cores.size()) return {};
  const auto first = cores.begin() + worker * threads;
  return {first, first + threads};
}

WorkerProcess::WorkerProcess(const std::vector<std::string>& command, const fs::path& log_file,
                             const std::map<std::string, std::string>& environment, const std::vector<int>& cores) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) fail(Code::run_failed, "worker: no pipe: {}", std::strerror(errno));
  SpawnSetup setup;
  posix_spawn_file_actions_addopen(&setup.files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&setup.files, STDOUT_FILENO, log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  posix_spawn_file_actions_adddup2(&setup.files, STDOUT_FILENO, STDERR_FILENO);
  posix_spawn_file_actions_adddup2(&setup.files, ends[1], kEventDescriptor);
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  std::vector<std::string> own;
  for (const auto& [name, value] : environment) own.push_back(name + "=" + value);
  std::vector<char*> variables;
  for (char** variable = environ; *variable != nullptr; ++variable)
    if (!environment.contains(std::string(*variable, std::strcspn(*variable, "=")))) variables.push_back(*variable);
  for (std::string& variable : own) variables.push_back(variable.data());
  variables.push_back(nullptr);
  const Pinned pinned(cores);
  const int error =
      posix_spawn(&pid_, arguments[0], &setup.files, &setup.attributes, arguments.data(), variables.data());
  close(ends[1]);
  events_ = ends[0];
  fcntl(events_, F_SETFL, O_NONBLOCK);
  if (error == 0) return;
  close(events_);
  fail(Code::run_failed, "worker: {} cannot be started: {}", command[0], std::strerror(error));
}

WorkerProcess::~WorkerProcess() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  close(events_);
}

void WorkerProcess::read_events(const std::function<void(const Json&)>& event) {
  char bytes[4096];
  for (ssize_t count; (count = read(events_, bytes, sizeof bytes)) > 0;)
    buffer_.append(bytes, static_cast<size_t>(count));
  size_t begin = 0;
  for (size_t end; (end = buffer_.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const Json line = Json::parse(buffer_.begin() + static_cast<ptrdiff_t>(begin),
                                  buffer_.begin() + static_cast<ptrdiff_t>(end), nullptr, /*allow_exceptions=*/false);
    if (line.is_object()) event(line);
  }
  buffer_.erase(0, begin);
}

std::optional<int> WorkerProcess::ended() {
  int status = 0;
  if (pid_ <= 0 || waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
  pid_ = -1;
  return status;
}

void WorkerProcess::signal(int number) const {
  if (pid_ > 0) kill(pid_, number);
}

}  // namespace simmim
