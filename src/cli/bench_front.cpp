#include "cli/bench_front.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <vector>

#include "cli/engine_client.h"
#include "cli/shares.h"
#include "cli/temporary_folder.h"
#include "core/error.h"
#include "core/names.h"
#include "core/recipes.h"
#include "sweep/worker_process.h"

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

// Until the first step of `simmim pretrain` stands in its journal; NaN where it cannot train, for want of data.
double milliseconds_to_first_step() {
  const TemporaryFolder folder("simmim-first-step");
  const auto start = std::chrono::steady_clock::now();
  WorkerProcess process({program_path().string(), "pretrain", "--quiet", "--out", (folder.path / "out").string(),
                         "--db", (folder.path / "out/simmim.db").string(), "pretrain.log_steps=1"},
                        folder.path / "log");
  const fs::path runs = folder.path / "out" / "runs";
  for (std::error_code none; !process.ended(); usleep(1000))
    if (fs::exists(runs))
      for (const auto& run : fs::directory_iterator(runs))
        if (const fs::path journal = run.path() / "metrics.jsonl";
            fs::exists(journal) && fs::file_size(journal, none) > 0)
          return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  return std::nan("");
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
  std::vector<double> times;
  for (int i = 0; i < 3; ++i) times.push_back(milliseconds_to_first_step());
  if (std::none_of(times.begin(), times.end(), [](double time) { return std::isnan(time); }))
    std::sort(times.begin(), times.end());
  rows.push_back({{"command", "simmim pretrain, to its first step"}, {"milliseconds", times[1]}, {"worst", times[2]}});
  return rows;
}

Json bench_sweep(const std::vector<std::string>& words) {
  std::vector<Shares> all = divisions();
  if (all.size() > 1) all.insert(all.begin(), {.jobs = 1, .threads = 1, .gpus = {}});
  Json rows = Json::array();
  for (const Shares& division : all) {
    const double rate = rate_of(division, words);
    if (rate == 0) fail(Code::run_failed, "bench sweep: {} cannot train this; see simmim bench step", division.text());
    rows.push_back({{"workers", division.jobs},
                    {"threads", division.threads},
                    {"images_per_second", rate},
                    {"ratio", rows.empty() ? 1 : rate / rows[0]["images_per_second"].get<double>()}});
  }
  return rows;
}

}  // namespace simmim
