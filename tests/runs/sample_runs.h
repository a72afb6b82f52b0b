// Run folders and plans as the trainers and the sweep write them, for the tests of runs/ and report/.
#pragma once
#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <string>

#include "core/files.h"
#include "core/json.h"
#include "runs/run_folder.h"

namespace simmim {

// A folder of its own for one test, deleted at its end; in memory where there is such a place, as every write is
// synced.
struct TemporaryFolder {
  fs::path path = (fs::exists("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path()) /
                  fmt::format("simmim-test-{}-{}", ::getpid(), count()++);
  TemporaryFolder() { fs::create_directories(path); }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  static int& count() {
    static int made = 0;
    return made;
  }
};

inline Json pretrain_config(int64_t seed, int64_t patch = 8, double ratio = 0.6) {
  return {{"stage", "pretrain"},
          {"seed", seed},
          {"precision", "f32"},
          {"method", {{"name", "simmim"}}},
          {"data", {{"name", "fashion_mnist"}, {"image_size", 32}, {"holdout", 0.1}}},
          {"encoder", {{"name", "vit"}, {"preset", "vit_nano"}, {"dim", 128}}},
          {"mask", {{"name", "random"}, {"patch", patch}, {"ratio", ratio}}},
          {"head", {{"name", "linear"}}},
          {"target", {{"name", "pixels"}, {"resolution", 32}}},
          {"loss", {{"name", "l1"}, {"area", "masked"}}},
          {"pretrain", {{"epochs", 4}, {"batch_size", 128}}}};
}

inline Json finetune_config(int64_t seed, const std::string& from = "pretrain") {
  return {{"stage", "finetune"},
          {"seed", seed},
          {"precision", "f32"},
          {"data", {{"name", "fashion_mnist"}, {"image_size", 32}, {"holdout", 0.1}}},
          {"encoder", {{"name", "vit"}, {"preset", "vit_nano"}, {"dim", 128}}},
          {"finetune", {{"from", from}, {"epochs", 10}, {"lr", 0.001}}}};
}

struct SampleRun {
  std::string id, kind = "pretrain", parent;
  int64_t seed = 0;
  Json config = pretrain_config(0);
  Json summary = Json::object();
  std::string state = "done", error = "";
  int metrics = 5;
};

// Writes a finished run through the same calls as the trainers.
inline fs::path write_run(const fs::path& out, const SampleRun& run) {
  auto folder = RunFolder::claim(out, run.id);
  folder->write_config(
      {{"stage", run.kind}, {"config", run.config}, {"given", Json::object()}, {"sources", Json::object()}});
  folder->begin_attempt(
      run.kind, run.parent, run.seed,
      {{"device", "cpu"}, {"gpus", 1}, {"threads", 2}, {"environment", {{"commit", "abc123"}, {"cpu", "test"}}}});
  Journal& journal = folder->open_journal(0);
  for (int step = 1; step <= run.metrics; ++step)
    journal.append(
        {{"step", step}, {"epoch", step * 0.1}, {"seconds", step * 0.5}, {"loss", 1.0 / step}, {"lr", 1e-3}});
  folder->update_summary(run.summary);
  folder->end_attempt(run.state, run.state == "done" ? 0 : 1, run.error);
  return folder->path();
}

inline void write_text(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

// One planned cell with its chains.
inline Json sample_cell(const std::string& name, const Json& values, const Json& chains) {
  return {{"cell", name}, {"values", values}, {"chains", chains}};
}
inline Json sample_chain(int64_t seed, const std::string& pretrain, const std::string& finetune) {
  Json runs = Json::array();
  if (!pretrain.empty()) runs.push_back({{"stage", "pretrain"}, {"id", pretrain}});
  if (!finetune.empty()) runs.push_back({{"stage", "finetune"}, {"id", finetune}});
  return {{"seed", seed}, {"runs", runs}};
}
inline Json sample_plan(const std::string& name, const Json& cells, const Json& runs = Json::object()) {
  return {{"name", name},
          {"revision", 1},
          {"about", "a test"},
          {"threads", 1},
          {"axes", {"mask.patch", "mask.ratio"}},
          {"table", {{"rows", "mask.patch"}, {"columns", "mask.ratio"}, {"value", "finetune.val.top1"}}},
          {"paper", "paper/1"},
          {"seeds", {0, 1}},
          {"cells", cells},
          {"runs", runs}};
}
inline fs::path write_plan(const fs::path& out, const Json& plan) {
  const fs::path path =
      out / "sweeps" / plan["name"].get<std::string>() / fmt::format("plan-{}.json", plan["revision"].get<int>());
  write_text(path, plan.dump());
  return path;
}

}  // namespace simmim
