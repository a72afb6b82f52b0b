#include "cli/shares.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <memory>

#include "cli/dry_run.h"
#include "cli/engine_client.h"
#include "cli/temporary_folder.h"
#include "cli/terminal.h"
#include "core/error.h"
#include "core/recipes.h"
#include "runs/estimate.h"
#include "runs/run_folder.h"
#include "sweep/gpus.h"
#include "sweep/tune.h"
#include "sweep/worker_process.h"

namespace simmim {
namespace {

int read_jobs(const std::string& text) {
  int jobs = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), jobs);
  if (error != std::errc() || end != text.data() + text.size() || jobs < 1)
    fail(Code::usage, "--jobs: got '{}'; allowed: a number from 1, or auto", text);
  return jobs;
}

// A number from 1 in the file's resources, 0 if there is none.
int resource(const SweepFile& sweep, const char* key) {
  const Json value = sweep.resources.value(key, Json(0));
  if (!value.is_number_integer() || value.get<int>() < 0)
    fail(Code::usage, "sweep.resources.{}: got {}; allowed: a number from 1", key, value.dump());
  return value.get<int>();
}

// Bytes, with those that only hold copies of files.
double available_memory() {
  std::ifstream file("/proc/meminfo");
  for (std::string key, unit; file >> key;) {
    double kilobytes = 0;
    if (file >> kilobytes && key == "MemAvailable:") return 1024 * kilobytes;
    std::getline(file, unit);
  }
  return 0;
}

}  // namespace

std::string Shares::text() const {
  return fmt::format("{} with {} each{}", counted(static_cast<size_t>(jobs), "worker"),
                     counted(static_cast<size_t>(threads), "thread"),
                     gpus.empty() ? "" : fmt::format(" on {}", counted(gpus.size(), "GPU")));
}

std::vector<Shares> divisions() {
  std::vector<Shares> all;
  for (int cores = usable_cores(), threads = 1; threads <= cores; ++threads)
    if (cores % threads == 0) all.push_back({.jobs = cores / threads, .threads = threads, .gpus = {}});
  return all;
}

double rate_of(const Shares& shares, const std::vector<std::string>& words) {
  const TemporaryFolder folder("simmim-rate");
  std::vector<std::string> command = {program_path().string(),       "bench", "step", "--json", "--quiet", "--threads",
                                      std::to_string(shares.threads)};
  command.insert(command.end(), words.begin(), words.end());
  std::vector<std::unique_ptr<WorkerProcess>> workers;
  std::vector<fs::path> answers;
  for (int i = 0; i < shares.jobs; ++i) {
    answers.push_back(folder.path / std::to_string(i));
    workers.push_back(std::make_unique<WorkerProcess>(command, answers.back(), std::map<std::string, std::string>(),
                                                      cores_of_worker(i, shares.jobs, shares.threads)));
  }
  for (const auto& worker : workers)
    while (!worker->ended()) {
      if (interrupts() > 0)
        fail(Code::interrupted, "interrupted while measuring {}; nothing has been run", shares.text());
      usleep(20'000);
    }
  double rate = 0;
  for (const fs::path& answer : answers) {
    const Json measured = Json::parse(read_file(answer), nullptr, /*allow_exceptions=*/false);
    if (!measured.is_object() || !measured.contains("images_per_second")) return 0;  // out of memory, for example
    rate += measured["images_per_second"].get<double>();
  }
  return rate;
}

Shares divide_machine(const std::string& jobs, std::optional<int64_t> threads,
                      const std::optional<SlurmResources>& slurm, const SweepFile& sweep, const fs::path& out) {
  const int cores = usable_cores(), wanted = resource(sweep, "gpus"), per_gpu = resource(sweep, "runs_per_gpu");
  Shares shares{.jobs = 0, .threads = static_cast<int>(threads.value_or(0)), .gpus = {}};
  if (wanted > 0 && !slurm) shares.gpus = visible_gpus();
  const int here = static_cast<int>(shares.gpus.size());
  if (here > 0 && wanted > here)
    fail(Code::device, "sweep.resources.gpus: got {}, but {} here (CUDA_VISIBLE_DEVICES, nvidia-smi -L); ask for fewer",
         wanted, counted(shares.gpus.size(), "GPU"));
  if (here > 0) shares.gpus.resize(static_cast<size_t>(wanted));
  const int slots = here > 0 ? wanted * std::max(1, per_gpu) : 0;
  const bool automatic = jobs == "auto";
  const int asked = jobs.empty() || automatic ? slots : read_jobs(jobs);
  for (const std::string& name : {sweep.name, sweep.name + kTuningSuffix})
    if (const auto plan = read_plan(out, name); plan && shares.threads == 0) shares.threads = plan->value("threads", 0);
  if (shares.threads == 0) shares.threads = resource(sweep, "threads");
  if (shares.threads == 0 && slurm) shares.threads = static_cast<int>(slurm->threads);
  if (shares.threads == 0 && automatic && slots == 0) return shares;
  if (shares.threads == 0) shares.threads = asked > 0 ? std::max(1, cores / asked) : cores;
  shares.jobs = asked > 0 ? asked : std::max(1, cores / shares.threads);
  return shares;
}

void measure_shares(Shares& shares, const Json& runs) {
  const Json* most = nullptr;
  double memory = 0;
  for (const Json& entry : runs) {
    memory = std::max(memory, entry.value("plan", Json::object()).value("memory", 0.0));
    if (entry.at("kind") != "probe" && (most == nullptr || work_of(entry) > work_of(*most))) most = &entry;
  }
  shares = {.jobs = 1, .threads = usable_cores(), .gpus = shares.gpus};
  if (most == nullptr || shares.threads == 1) return;
  const TemporaryFolder folder("simmim-auto");
  Json recipe = most->at("config");
  recipe.erase("stage");
  write_file_atomically(folder.path / "recipe.json", recipe.dump());
  double best = 0;
  for (const Shares& division : divisions()) {
    const int jobs = division.jobs;
    if (jobs > 1 && (jobs > static_cast<int>(runs.size()) || jobs * memory > available_memory())) continue;
    const double rate = rate_of(division, {(folder.path / "recipe.json").string(), "--stage", most->at("kind")});
    say(false, fmt::format("--jobs auto: {}: {} images/s", division.text(), count_text(rate)));
    if (rate > best) best = rate, shares.jobs = jobs, shares.threads = division.threads;
  }
}

}  // namespace simmim
