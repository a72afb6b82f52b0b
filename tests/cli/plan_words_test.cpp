// What a sweep says before it runs: dry runs, warnings, refusals. Needs the engine and Fashion-MNIST.
#include <gtest/gtest.h>

#include <fstream>

#include "cli/process.h"
#include "runs/run_folder.h"
#include "sweep/plan.h"
#include "sweep/run_state.h"
#include "temporary.h"

namespace simmim {
namespace {

using Words = std::vector<std::string>;

class SweepWords : public testing::Test {
 protected:
  SweepWords() {
    Json set = Json::object();
    for (const std::string& word : tiny()) {
      const auto [key, value] = parse_override(word);
      set[key] = value;
    }
    sweep_ = {
        {"set", set},
        {"axes", {{{"cases", {{"plain", Json::object()}, {"mlp", {{"head", {{"name", "mlp"}, {"hidden", 32}}}}}}}}}},
        {"resources", {{"threads", 1}}}};
  }
  Finished run(const std::string& command, const Words& more = {}) {
    folder_.write("s.json", sweep_.dump());
    return simmim_run(Words{command, (folder_ / "s.json").string(), "--out", (folder_ / "results").string()} + more);
  }
  Temporary folder_;
  Json sweep_;
};

TEST_F(SweepWords, DryRunSaysFlopsAndWhatACaseSetsAndWhatItIsDoing) {
  const Finished got = run("sweep", {"--dry-run"});
  ASSERT_EQ(got.code, 0) << got.err;
  for (const char* part : {"mlp  (mlp: head.name=mlp head.hidden=32)\n", "plain  (plain: nothing set)\n", " FLOPs; "})
    EXPECT_NE(got.out.find(part), std::string::npos) << got.out;
  EXPECT_TRUE(got.err.starts_with("s: checking 2 chains, measuring this machine's speed ...")) << got.err;
  const Json plan = run("sweep", {"--dry-run", "--json"}).json();
  double flops = 0;
  for (const Json& entry : plan["plan"]["runs"]) flops += entry["plan"]["flops"].get<double>();
  EXPECT_DOUBLE_EQ(plan["flops"].get<double>(), flops);
}

TEST_F(SweepWords, WarnsOfAPrecisionThatIsSlowHereAlsoWhenChecked) {
  std::ifstream info("/proc/cpuinfo");
  if (const std::string text{std::istreambuf_iterator<char>(info), {}};
      text.find("avx512_bf16") != std::string::npos || text.find("amx_bf16") != std::string::npos)
    GTEST_SKIP() << "this processor has bf16";
  sweep_["set"]["precision"] = "bf16";
  sweep_["set"]["device"] = "cpu";
  for (const auto& got : {run("sweep", {"--dry-run"}), run("check")}) {
    const std::string warning = "warning: precision: this processor has no arithmetic for bf16";
    EXPECT_EQ(got.code, 0) << got.err;
    EXPECT_NE(got.err.find(warning), std::string::npos) << got.err;
    EXPECT_EQ(got.err.find(warning), got.err.rfind(warning)) << got.err;
  }
}

TEST_F(SweepWords, CheckAndSweepRefuseWhatOnlyTheTableWouldFind) {
  sweep_["table"] = {{"rows", "case"}, {"value", "probe.val.top1"}};
  for (const Finished& got : {run("check"), run("sweep", {"--dry-run"}), run("sweep")}) {
    EXPECT_EQ(got.code, 2);
    EXPECT_NE(got.err.find("sweep.table.value: probe.val.top1 is of a stage"), std::string::npos) << got.err;
  }
  EXPECT_FALSE(fs::exists(folder_ / "results"));
}

TEST_F(SweepWords, RefusesWrongResourcesAndConditionsWithTheNearestName) {
  folder_.write("resources.json", R"({"gpuss": 1})");
  const Finished resources = run("sweep", {"--dry-run", "--resources", (folder_ / "resources.json").string()});
  EXPECT_EQ(resources.code, 2);
  EXPECT_NE(resources.err.find("resources.json.gpuss: unknown key; did you mean 'gpus'?"), std::string::npos)
      << resources.err;
  const Finished only = run("sweep", {"--dry-run", "--only", "cas=mlp"});
  EXPECT_EQ(only.code, 2);
  EXPECT_NE(only.err.find("--only cas: no cell has this key; did you mean 'case'?"), std::string::npos) << only.err;
}

TEST_F(SweepWords, DryRunKnowsWhatCannotRunAndWhatRetryFailedWouldRunAgain) {
  const Json plan = run("sweep", {"--dry-run", "--json"}).json()["plan"];
  const std::string victim = plan["cells"][0]["chains"][0]["runs"][0]["id"];
  record_failure(folder_ / "results", plan["runs"][victim], 1, "not finite");
  const std::string without = run("sweep", {"--dry-run"}).out;
  EXPECT_NE(
      without.find("2 runs to do (1 pretrain, 1 finetune), 1 failed (--retry-failed runs them again), 1 not runnable"),
      std::string::npos)
      << without;
  const std::string with = run("sweep", {"--dry-run", "--retry-failed"}).out;
  EXPECT_NE(with.find("4 runs to do (2 pretrain, 2 finetune)\n"), std::string::npos) << with;
  const Finished slurm = run("sweep", {"--dry-run", "--executor", "slurm"});
  EXPECT_NE(slurm.err.find("1 failed, 1 not runnable"), std::string::npos) << slurm.err;
}

TEST_F(SweepWords, ExampleOfTheHelpIsAValidSweepAndStandsInTheManualPage) {
  const std::string help = simmim_run({"sweep", "--help"}).out;
  const size_t from = help.find("\n{\n"), to = help.find("\n}\n", from);
  ASSERT_NE(to, std::string::npos) << help;
  folder_.write("example.json", help.substr(from, to + 2 - from));
  const Finished got = simmim_run({"check", (folder_ / "example.json").string(), "--out", (folder_ / "r").string()});
  EXPECT_EQ(got.code, 0) << got.err;
  EXPECT_EQ(got.err.find("warning"), std::string::npos) << got.err;
  const std::string page = simmim_run({"completion", "man"}).out;
  for (const char* key : {"zip", "cases", "when", "exclude", "tune", "finetune_seeds", "stop_if.nan",
                          "stop_if.worse_than_median.after", "resources.hours"}) {
    EXPECT_NE(help.find(key), std::string::npos) << key;
    EXPECT_NE(page.find(key), std::string::npos) << key;
  }
}

}  // namespace
}  // namespace simmim
