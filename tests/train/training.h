// Small real runs on Fashion-MNIST for the tests of training.
#pragma once
#include <gtest/gtest.h>
#include <unistd.h>

#include "config/resolve.h"
#include "layers/torch.h"
#include "train/run.h"

namespace simmim::testing_support {

// A folder that goes away with the test.
struct Folder {
  fs::path path;
  Folder() {
    std::string name = (fs::temp_directory_path() / "simmim-train-XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
};

// A few hundred images, a model of one block: a second of work.
inline Json small_config() {
  return {{"precision", "f32"},
          {"data", {{"name", "fashion_mnist"}, {"limit", 300}, {"workers", 1}}},
          {"encoder", {{"name", "vit"}, {"patch", 8}, {"dim", 32}, {"depth", 2}, {"heads", 2}}},
          {"mask", {{"patch", 8}, {"ratio", 0.5}}},
          {"pretrain", {{"epochs", 2}, {"batch_size", 32}, {"warmup_epochs", 0.5}, {"log_steps", 3}}},
          {"finetune", {{"epochs", 2}, {"batch_size", 32}, {"warmup_epochs", 0.5}, {"log_steps", 3}}}};
}

inline Json resolve(const fs::path& out, const std::vector<std::string>& stages, const Json& overrides,
                    const std::string& from = "") {
  std::vector<std::string> warnings;
  return resolve_stages(
      {.layers = {{"base", small_config()}, {"test", overrides}}, .stages = stages, .from = from, .out = out},
      warnings);
}

inline Json run(
    const Json& entry, const fs::path& out, const EventSink& sink = [](const Json&) {}, bool fresh = false) {
  clear_interrupt();
  return run_stage(entry, {.out = out, .database = out / "simmim.db", .fresh = fresh}, sink);
}

// An event sink that asks the run to stop once it has done `step` steps.
inline EventSink stop_at(int64_t step) {
  return [step](const Json& event) {
    if (event["event"] == "progress" && event["step"].get<int64_t>() >= step) request_interrupt();
  };
}

// The journal's metrics without what a clock makes of them.
inline std::vector<std::string> journal(const fs::path& out, const std::string& id) {
  std::vector<std::string> lines;
  read_journal(run_path(out, id) / "metrics.jsonl", 0, [&](const Json& line) {
    Json kept = line;
    for (const char* key : {"seconds", "images_per_second", "data_wait"}) kept.erase(key);
    lines.push_back(kept.dump());
  });
  return lines;
}

}  // namespace simmim::testing_support
