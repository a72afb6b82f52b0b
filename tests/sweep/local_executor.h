// Chains of runs for the local executor, whose workers are shell scripts.
#pragma once
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "core/files.h"
#include "sweep/local.h"

namespace simmim {

// Workers are a shell script here: what it does with a run stands in a file of the run's name in the folder `do`
// ("done" unless there is one). Each start is a line of `starts`.
inline constexpr const char* kWorker = R"sh(#!/bin/sh
while [ $# -gt 1 ]; do case "$1" in --run) run=$2 ;; --out) out=$2 ;; --plan) plan=$2 ;; esac; shift 2; done
echo "$run" >> "$out/starts"
order=done
[ -f "$out/do/$run" ] && order=$(head -n 1 "$out/do/$run") && sed -i 1d "$out/do/$run"
echo '{"event":"progress","step":1,"steps":2}' >&3
state() { echo "{\"id\":\"$run\",\"state\":\"$1\",\"error\":\"$2\",\"attempts\":[{\"state\":\"$1\"}]}" > "$out/runs/$run/run.json"; }
case "$order" in
  done|"") state done ;;
  fail) state failed "no luck"; exit 1 ;;
  full) echo "{\"id\":\"$run\",\"state\":\"failed\",\"attempts\":[{\"state\":\"failed\",\"exit_code\":5}]}" > "$out/runs/$run/run.json"; exit 5 ;;
  kill) kill -9 $$ ;;
  vanish) echo '{"event":"error","message":"no engine"}' >&3; exit 6 ;;
  cores) grep Cpus_allowed_list /proc/self/status >> "$out/cores"; state done ;;
  gpu) echo "$CUDA_VISIBLE_DEVICES" >> "$out/gpus"; state done ;;
  hang) echo '{"event":"message","text":"hanging"}' >&3; while :; do sleep 0.05; done ;;
  good) echo '{"step":1,"epoch":1,"val.loss":0.5}' > "$out/runs/$run/metrics.jsonl"; state done ;;
  bad) trap 'state interrupted; exit 4' TERM
    echo '{"step":1,"epoch":1,"val.loss":0.9}' > "$out/runs/$run/metrics.jsonl"
    echo '{"event":"epoch","epoch":1}' >&3; while :; do sleep 0.05; done ;;
  bad_to_the_end) echo '{"step":1,"epoch":1,"val.loss":0.9}' > "$out/runs/$run/metrics.jsonl"
    echo '{"event":"epoch","epoch":1}' >&3; state done ;;
  wait) trap 'state interrupted; exit 4' TERM; echo '{"event":"message","text":"ready"}' >&3; while :; do sleep 0.05; done ;;
esac
)sh";

struct Recorder : SweepObserver {
  std::vector<std::string> lines;
  std::function<void(const Json&)> on_event;
  int running = 0, most_running = 0;
  void started(int, const std::string& run) override {
    lines.push_back("start " + run);
    most_running = std::max(most_running, ++running);
  }
  void event(int, const std::string&, const Json& event) override {
    if (on_event) on_event(event);
  }
  void ended(int, const std::string& run, const std::string& state, const std::string& why) override {
    lines.push_back(state + " " + run + (why.empty() ? "" : ": " + why));
    --running;
  }
};

using Ids = std::vector<std::string>;

// Two chains a -> a1 and b -> b1.
class LocalExecutor : public testing::Test {
 protected:
  LocalExecutor() : out_(fs::temp_directory_path() / ("simmim-local-" + std::to_string(getpid()))) {
    fs::remove_all(out_);
    make_folder(out_ / "do");
    write_file_atomically(out_ / "worker", kWorker);
    chmod((out_ / "worker").c_str(), 0755);
    for (const auto& [id, parent] : {std::pair{"a", ""}, {"a1", "a"}, {"b", ""}, {"b1", "b"}})
      plan_["runs"][id] = {{"id", id},
                           {"kind", *parent ? "finetune" : "pretrain"},
                           {"parent", *parent ? Json(parent) : Json(nullptr)},
                           {"config", {{"seed", 0}}}};
    options_ = {.out = out_,
                .database = out_ / "simmim.db",
                .plan_file = "plan.json",
                .worker = {(out_ / "worker").string()},
                .selected = {"a", "a1", "b", "b1"}};
  }
  ~LocalExecutor() override { fs::remove_all(out_); }

  void order(const std::string& run, const std::string& orders) { write_file_atomically(out_ / "do" / run, orders); }
  SweepOutcome work() { return run_local(plan_, options_, recorder_); }
  Ids starts() {
    Ids out;
    std::ifstream file(out_ / "starts");
    for (std::string line; std::getline(file, line);) out.push_back(line);
    return out;
  }

  fs::path out_;
  Json plan_ = {{"runs", Json::object()}, {"cells", Json::array()}, {"seeds", Json::array()}};
  LocalOptions options_;
  Recorder recorder_;
};

}  // namespace simmim
