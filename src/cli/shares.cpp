#include "cli/shares.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <memory>

#include "cli/dry_run.h"
#include "cli/engine_client.h"
#include "cli/terminal.h"
#include "core/error.h"
#include "runs/estimate.h"
#include "runs/run_folder.h"
#include "sweep/gpus.h"
#include "sweep/recipes.h"
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

double available_memory() {
  return static_cast<double>(sysconf(_SC_AVPHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

// Images a second of `jobs` workers that train side by side.
double rate_of(const fs::path& recipe, const std::string& stage, int jobs, int threads) {
  const fs::path folder = recipe.parent_path();
  std::vector<std::unique_ptr<WorkerProcess>> workers;
  std::vector<fs::path> answers;
  for (int i = 0; i < jobs; ++i) {
    answers.push_back(folder / fmt::format("{}-{}", jobs, i));
    workers.push_back(std::make_unique<WorkerProcess>(
        std::vector<std::string>{program_path().string(), "bench", "step", recipe.string(), "--stage", stage, "--json",
                                 "--quiet", "--threads", std::to_string(threads)},
        answers.back()));
  }
  for (const auto& worker : workers)
    while (!worker->ended()) {
      if (interrupts() > 0) fail(Code::interrupted, "--jobs auto: interrupted while measuring; nothing has been run");
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

}  // namespace

std::string Shares::text() const {
  return fmt::format("{} with {} each{}", counted(static_cast<size_t>(jobs), "worker"),
                     counted(static_cast<size_t>(threads), "thread"),
                     gpus.empty() ? "" : fmt::format(" on {}", counted(gpus.size(), "GPU")));
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
  const int cores = usable_cores();
  const Json* most = nullptr;
  double memory = 0;
  for (const Json& entry : runs) {
    memory = std::max(memory, entry.value("plan", Json::object()).value("memory", 0.0));
    if (entry.at("kind") != "probe" && (most == nullptr || work_of(entry) > work_of(*most))) most = &entry;
  }
  shares = {.jobs = 1, .threads = cores, .gpus = shares.gpus};
  if (most == nullptr || cores == 1) return;
  const fs::path folder = fs::temp_directory_path() / fmt::format("simmim-auto-{}", getpid());
  make_folder(folder);
  Json recipe = most->at("config");
  recipe.erase("stage");
  write_file_atomically(folder / "recipe.json", recipe.dump());
  double best = 0;
  for (int threads = 1; threads <= cores; ++threads) {
    const int jobs = cores / threads;
    if (cores % threads != 0 ||
        (jobs > 1 && (jobs > static_cast<int>(runs.size()) || jobs * memory > available_memory())))
      continue;
    const double rate = rate_of(folder / "recipe.json", most->at("kind"), jobs, threads);
    say(false, fmt::format("--jobs auto: {} with {} each: {} images/s", counted(static_cast<size_t>(jobs), "worker"),
                           counted(static_cast<size_t>(threads), "thread"), count_text(rate)));
    if (rate > best) best = rate, shares.jobs = jobs, shares.threads = threads;
  }
  std::error_code ignored;
  fs::remove_all(folder, ignored);
}

}  // namespace simmim
