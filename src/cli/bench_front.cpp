#include "cli/bench_front.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "core/error.h"
#include "core/names.h"
#include "core/recipes.h"

extern char** environ;

namespace simmim {
namespace {

double milliseconds_of(const std::vector<std::string>& words) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  for (const int descriptor : {STDOUT_FILENO, STDERR_FILENO})
    posix_spawn_file_actions_addopen(&files, descriptor, "/dev/null", O_WRONLY, 0);
  const auto start = std::chrono::steady_clock::now();
  pid_t child = 0;
  const int error = posix_spawn(&child, arguments[0], &files, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  if (error != 0) fail(Code::run_failed, "bench start: {} cannot be started", words[0]);
  waitpid(child, nullptr, 0);
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

Json bench_start() {
  Json rows = Json::array();
  for (const char* command :
       {"--help", "list", "pretrain --help", "runs", "status", "query SELECT+count(*)+FROM+results"}) {
    std::vector<std::string> words = split(command, ' ');
    for (std::string& word : words) std::replace(word.begin(), word.end(), '+', ' ');
    words.insert(words.begin(), program_path().string());
    std::vector<double> times;
    for (int i = 0; i < 11; ++i) times.push_back(milliseconds_of(words));
    std::sort(times.begin(), times.end());
    words.erase(words.begin());
    rows.push_back({{"command", "simmim " + join(words, " ")}, {"milliseconds", times[5]}, {"worst", times[10]}});
  }
  return rows;
}

}  // namespace simmim
