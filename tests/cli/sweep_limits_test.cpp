// What bounds a sweep: its hours, its division of the machine, stale runs, other sweeps on the same database, a clock
// that jumps. Needs the engine and Fashion-MNIST.
#include <gtest/gtest.h>
#include <signal.h>

#include <set>
#include <thread>

#include "cli/process.h"
#include "core/names.h"
#include "runs/run_folder.h"
#include "temporary.h"

namespace simmim {
namespace {

using Words = std::vector<std::string>;

class BoundedSweep : public testing::Test {
 protected:
  BoundedSweep() { write("s.json", Json::array({0.4})); }
  void write(const std::string& name, const Json& ratios, const Json& more = Json::object()) {
    Json sweep = Json::parse(R"({"axes": [{"grid": {}}], "seeds": 1, "resources": {"threads": 1}})");
    sweep["axes"][0]["grid"]["mask.ratio"] = ratios;
    for (const std::string& word : tiny()) {
      const auto [key, value] = parse_override(word);
      sweep["set"][key] = value;
    }
    sweep.update(more);
    folder_.write(name, sweep.dump());
  }
  Words words(const std::string& name = "s.json") {
    return {"sweep", (folder_ / name).string(), "--out", (folder_ / "results").string()};
  }
  Finished run(const Words& more = {}) { return simmim_run(words() + more); }
  fs::path run_folder(const std::string& id) { return folder_ / "results/runs" / id; }
  std::string id_of(const std::string& stage) {
    const Json plan = *read_plan(folder_ / "results", "s");
    for (const Json& member : plan["cells"][0]["chains"][0]["runs"])
      if (member["stage"] == stage) return member["id"];
    return "";
  }

  // The run becomes one that an older program made: another id, and a lower version of a part.
  std::string age(const std::string& id, const std::string& part, const std::string& parent = "") {
    const std::string old = "0ld" + id.substr(3);
    fs::rename(run_folder(id), run_folder(old));
    Json config = read_json_file(run_folder(old) / "config.json"),
         record = read_json_file(run_folder(old) / "run.json");
    config["versions"][part] = 0;
    record["id"] = old;
    if (!parent.empty()) config["parent"] = record["parent"] = parent;
    write_file_atomically(run_folder(old) / "config.json", config.dump());
    write_file_atomically(run_folder(old) / "run.json", record.dump());
    return old;
  }

  Temporary folder_;
};

TEST_F(BoundedSweep, OutOfHoursSavesAndTheSameCommandGoesOn) {
  const Finished stopped = run({"--hours", "0.0000001"});
  EXPECT_EQ(stopped.code, 4) << stopped.err;
  EXPECT_NE(stopped.err.find("out of time, all is saved; go on with: simmim sweep "), std::string::npos) << stopped.err;
  EXPECT_NE(stopped.out.find("0 done, 0 reused, 0 failed, 0 not runnable, 2 left"), std::string::npos) << stopped.out;
  EXPECT_NE(run({"--hours", "9"}).out.find("2 done"), std::string::npos);
  EXPECT_EQ(run({"--hours", "-1"}).code, 2);
  EXPECT_NE(run({"--hours", "soon"}).err.find("--hours: got soon; allowed: a number above 0"), std::string::npos);
}

TEST_F(BoundedSweep, HoursOfTheFileHoldToo) {
  write("s.json", Json::array({0.4}), {{"resources", {{"threads", 1}, {"hours", 1e-7}}}});
  EXPECT_EQ(run().code, 4);
}

TEST_F(BoundedSweep, DividesTheMachineAsMeasuredOnceAndThenAsPlanned) {
  write("s.json", {0.4, 0.6}, {{"resources", Json::object()}});
  const Finished first = run({"--jobs", "auto"});
  ASSERT_EQ(first.code, 0) << first.err;
  const int threads = read_plan(folder_ / "results", "s")->at("threads");
  EXPECT_GE(threads, 1);
  const bool several = std::thread::hardware_concurrency() > 1;
  EXPECT_EQ(first.err.find("--jobs auto: ") != std::string::npos, several) << first.err;
  const Finished again = run({"--jobs", "auto"});
  EXPECT_EQ(again.err.find("--jobs auto: "), std::string::npos) << again.err;
  EXPECT_EQ(read_plan(folder_ / "results", "s")->at("threads"), threads);
  EXPECT_EQ(run({"--jobs", "many"}).code, 2);
}

// Without a GPU here: the list comes from the environment, and what a worker saw stands in its run's record.
TEST_F(BoundedSweep, GivesEachWorkerItsGpu) {
  write("s.json", {0.4, 0.6},
        {{"resources", {{"threads", 1}, {"gpus", 2}, {"runs_per_gpu", 1}}}, {"stages", {"pretrain"}}});
  const Finished got = simmim_run(words() + Words{"device=cpu"}, {{"CUDA_VISIBLE_DEVICES", "4,GPU-7,9"}});
  ASSERT_EQ(got.code, 0) << got.err;
  EXPECT_NE(got.err.find("2 workers with 1 thread each on 2 GPUs"), std::string::npos) << got.err;
  std::set<std::string> seen;
  for (const auto& entry : fs::directory_iterator(folder_ / "results/runs"))
    seen.insert(read_record(entry.path())["attempts"][0]["environment"]["CUDA_VISIBLE_DEVICES"]);
  EXPECT_EQ(seen, (std::set<std::string>{"4", "GPU-7"}));
  const Finished few = simmim_run(words(), {{"CUDA_VISIBLE_DEVICES", "0"}});
  EXPECT_EQ(few.code, 6);
  EXPECT_NE(few.err.find("sweep.resources.gpus: got 2, but 1 GPU here"), std::string::npos) << few.err;
}

TEST_F(BoundedSweep, StopsARunThatFallsBehindAndFinishesItOnlyWhenAsked) {
  write("s.json", Json::array(),
        Json::parse(R"({"axes": [{"grid": {"pretrain.lr": [1e-3, 2e-3, 3e-3, 1e-9]}}], "stages": ["pretrain"],
                        "stop_if": {"worse_than_median": {"metric": "val.loss", "after": 1}}})"));
  const Words longer = {"pretrain.epochs=16", "--jobs", "1"};
  const Finished first = run(longer);
  ASSERT_EQ(first.code, 0) << first.err;
  EXPECT_NE(first.out.find("3 done, 0 reused, 0 failed, 1 stopped, 0 not runnable, 0 left"), std::string::npos)
      << first.out;
  EXPECT_NE(first.err.find("the median of 3 comparable runs (stop_if)"), std::string::npos) << first.err;
  const Words out = {"--out", (folder_ / "results").string()};
  EXPECT_NE(simmim_run(Words{"status", "s"} + out).out.find("3 done, 1 stopped of 4 runs"), std::string::npos);
  EXPECT_NE(simmim_run(Words{"table", "s"} + out).out.find("1 run was stopped before the end (stop_if)"),
            std::string::npos);
  EXPECT_NE(run(longer).out.find("0 done, 3 reused, 0 failed, 1 stopped"), std::string::npos);
  EXPECT_NE(run(longer + Words{"--retry-failed"}).out.find("1 done, 3 reused"), std::string::npos);
}

TEST_F(BoundedSweep, KeepsStaleRunsUntilAskedToRunThemAgain) {
  ASSERT_EQ(run().code, 0);
  const std::string finetune = id_of("finetune"), old = age(finetune, "optimizer");
  const Json planned = run({"--dry-run", "--json"}).json();
  EXPECT_TRUE(planned["todo"].empty());
  ASSERT_EQ(planned["stale"].size(), 1u);
  EXPECT_EQ(planned["stale"][0]["run"], old);
  EXPECT_EQ(planned["stale"][0]["why"], "optimizer 0, now 1");
  const std::string text = run({"--dry-run"}).out;
  EXPECT_NE(text.find("stale: " + old + "  finetune of mask.ratio=0.4, seed 0: made with optimizer 0, now 1"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("1 run stale, kept as made; --rerun-stale runs them again: 8 steps, about "), std::string::npos)
      << text;
  EXPECT_NE(run().out.find("0 done, 2 reused"), std::string::npos);
  EXPECT_EQ(id_of("finetune"), old);
  EXPECT_NE(run({"--rerun-stale"}).out.find("1 done, 1 reused"), std::string::npos);
  EXPECT_EQ(id_of("finetune"), finetune);
  EXPECT_EQ(read_file(run_folder(finetune) / "final.safetensors"), read_file(run_folder(old) / "final.safetensors"));
}

TEST_F(BoundedSweep, RunsAChainAnewIfAPartOfItIsMissing) {
  ASSERT_EQ(run().code, 0);
  const std::string finetune = id_of("finetune"), old_pretrain = age(id_of("pretrain"), "masks");
  const std::string old = age(finetune, "data", old_pretrain);
  EXPECT_TRUE(run({"--dry-run", "--json"}).json()["todo"].empty());
  fs::remove_all(run_folder(old));
  const Json planned = run({"--dry-run", "--json"}).json();
  EXPECT_EQ(planned["todo"].size(), 2u);
  EXPECT_FALSE(planned.contains("stale"));
}

TEST_F(BoundedSweep, SharesADatabaseAndARunWithAnotherAtTheSameTime) {
  write("t.json", {0.4, 0.6});
  Process first(words("s.json")), second(words("t.json"));
  EXPECT_EQ(first.finish().code, 0);
  EXPECT_EQ(second.finish().code, 0);
  const Finished rows = simmim_run({"query", "SELECT sweep, count(*) AS n FROM members GROUP BY sweep ORDER BY sweep",
                                    "--json", "--out", (folder_ / "results").string()});
  EXPECT_EQ(rows.json().dump(), R"([{"sweep":"s","n":2},{"sweep":"t","n":4}])") << rows.err;
  std::set<std::string> states;
  for (const auto& entry : fs::directory_iterator(folder_ / "results/runs")) {
    const Json record = read_record(entry.path());
    EXPECT_EQ(record["attempts"].size(), 1u) << entry.path();
    states.insert(record["state"]);
  }
  EXPECT_EQ(states, std::set<std::string>{"done"});
}

// The attempt before this one began, by its clock, in a future that the clock has since left.
TEST_F(BoundedSweep, CountsSecondsByAClockThatNeverGoesBack) {
  Process sweep(words());
  ASSERT_TRUE(sweep.wait_for("epoch 1:"));
  sweep.signal(SIGINT, /*group=*/true);
  ASSERT_EQ(sweep.finish().code, 4);
  for (const auto& entry : fs::directory_iterator(folder_ / "results/runs")) {
    Json record = read_json_file(entry.path() / "run.json");
    record["attempts"][0]["started_at"] = "2099-01-01T00:00:00.000Z";
    write_file_atomically(entry.path() / "run.json", record.dump());
  }
  ASSERT_EQ(run().code, 0);
  const Json rows = simmim_run({"query", "SELECT seconds FROM results WHERE state = 'done'", "--json", "--out",
                                (folder_ / "results").string()})
                        .json();
  ASSERT_EQ(rows.size(), 2u);
  for (const Json& row : rows) {
    EXPECT_GT(row["seconds"].get<double>(), 0);
    EXPECT_LT(row["seconds"].get<double>(), 3600);
  }
}

}  // namespace
}  // namespace simmim
