// gc on results that the program made: what goes, and that everything that worked before works after.
#include <gtest/gtest.h>
#include <signal.h>

#include "cli/process.h"
#include "core/names.h"
#include "runs/run_folder.h"
#include "temporary.h"
#include "weights/tensor_file.h"

namespace simmim {
namespace {

using Words = std::vector<std::string>;

class Gc : public testing::Test {
 protected:
  Finished run(const Words& words) { return simmim_run(words + Words{"--out", out_.string()}); }
  std::string id_of(const Words& words) {  // of the run that the words describe; trained where it is not
    const Finished got = run(words + Words{"--json"} + tiny());
    EXPECT_EQ(got.code, 0) << got.err;
    return got.out.empty() ? "" : got.json().value("id", "");
  }
  fs::path folder(const std::string& id) { return run_path(out_, id); }
  uint64_t size(const std::string& id, const std::string& file) { return fs::file_size(folder(id) / file); }

  // A run of no sweep with such a record, and a checkpoint.
  void write_failed(const std::string& id, Code code) {
    auto made = RunFolder::claim(out_, id);
    made->write_config({{"config", {{"seed", 0}}}});
    made->begin_attempt("pretrain", "", 0, Json::object());
    made->end_attempt("failed", static_cast<int>(code), "a reason");
    write_file_atomically(made->file("last.safetensors"), std::string(1000, 'x'));
  }

  Temporary folder_;
  fs::path out_ = folder_ / "results";
};

TEST_F(Gc, OfFinishedRunsTakesWhatNothingReadsAndLeavesEverythingWorking) {
  const Words kept = {"pretrain.keep_epochs=1"};
  const std::string pretrained = id_of(Words{"pretrain"} + kept);
  const Words from_epoch = Words{"finetune", "--from", pretrained + "@1"},
              from_end = {"finetune", "--from", pretrained};
  const std::string tuned = id_of(from_epoch), last_tuned = id_of(from_end);
  make_folder(folder(pretrained) / "crash");
  write_file_atomically(folder(pretrained) / "crash/step-3.json", "{}");
  const std::string results = "SELECT run, state, val_top1, test_top1, config FROM results ORDER BY run";
  const std::string before = run({"query", results, "--format", "csv"}).out;
  const uint64_t trained = size(tuned, "last.safetensors");

  const Finished plan = run({"gc", "--dry-run", "--json"});
  ASSERT_EQ(plan.code, 0) << plan.err;
  EXPECT_GT(plan.json()["bytes"].get<double>(), 2.0 / 3 * static_cast<double>(trained));
  EXPECT_EQ(size(tuned, "last.safetensors"), trained);
  EXPECT_TRUE(fs::exists(folder(pretrained) / "epoch-2.safetensors"));

  const Finished unasked = run({"gc"});  // off a terminal
  EXPECT_EQ(unasked.code, 2);
  EXPECT_NE(unasked.err.find("--yes"), std::string::npos) << unasked.err;
  EXPECT_EQ(size(tuned, "last.safetensors"), trained);

  const Finished done = run({"gc", "--yes", "--json"});
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(done.json()["items"], plan.json()["items"]);
  EXPECT_FALSE(fs::exists(folder(pretrained) / "crash"));
  EXPECT_FALSE(fs::exists(folder(pretrained) / "epoch-2.safetensors"));
  EXPECT_TRUE(fs::exists(folder(pretrained) / "epoch-1.safetensors"));  // the fine-tuning started from it
  EXPECT_LT(size(tuned, "last.safetensors"), trained / 2);
  const TensorFile trimmed = TensorFile::open(folder(tuned) / "last.safetensors");
  for (const auto& [name, tensor] : trimmed.tensors()) EXPECT_FALSE(name.starts_with("opt.")) << name;

  EXPECT_EQ(run({"query", results, "--format", "csv"}).out, before);
  EXPECT_EQ(run({"query", "SELECT count(*) FROM artifacts WHERE path LIKE 'crash/%' OR path = 'epoch-2.safetensors'",
                 "--format", "csv"})
                .out,
            "count(*)\n0\n");
  for (const auto& [words, id] :
       {std::pair{Words{"pretrain"} + kept, pretrained}, {from_epoch, tuned}, {from_end, last_tuned}}) {
    const Finished again = run(words + Words{"--json"} + tiny());
    EXPECT_EQ(again.code, 0) << again.err;
    EXPECT_NE(again.err.find("is already done: reused"), std::string::npos) << again.err;
    EXPECT_EQ(again.json().value("id", ""), id);
  }
  EXPECT_EQ(run({"probe", "--from", pretrained, "probe.epochs=1"}).code, 0);
  EXPECT_EQ(run({"eval", "--from", tuned}).code, 0);
  EXPECT_EQ(run({"reconstruct", "--from", pretrained, "val:0-1", "-o", (folder_ / "r.png").string()}).code, 0);
  EXPECT_EQ(run({"inspect", (folder(tuned) / "last.safetensors").string()}).code, 0);
  EXPECT_EQ(run({"gc", "--dry-run", "--json"}).json()["items"].size(), 0u);
}

TEST_F(Gc, TakesRunsThatFailedOfThemselvesAndNothingThatCanGoOn) {
  write_failed("aa", Code::run_failed);
  write_failed("bb", Code::data);    // a full disk: the same command goes on from its checkpoint
  write_failed("cc", Code::device);  // no memory on this machine
  write_failed("dd", Code::run_failed);
  write_failed("ee", Code::run_failed);
  write_failed("ff", Code::run_failed);
  RunFolder::claim(out_, "ee")->write_config({{"parent", "dd"}, {"config", Json::object()}});
  make_folder(sweeps_folder(out_) / "s");
  write_file_atomically(
      sweeps_folder(out_) / "s/plan-1.json",
      Json({{"name", "s"}, {"revision", 1}, {"cells", Json::array()}, {"runs", {{"ff", {{"kind", "pretrain"}}}}}})
          .dump());
  ASSERT_EQ(run({"status"}).code, 0);
  ASSERT_EQ(run({"gc", "--yes"}).code, 0);
  std::vector<std::string> left;
  for (const auto& entry : fs::directory_iterator(runs_folder(out_)))
    if (entry.is_directory()) left.push_back(entry.path().filename());
  std::sort(left.begin(), left.end());
  EXPECT_EQ(left, (Words{"bb", "cc", "dd", "ff"}));
  EXPECT_EQ(run({"runs", "--sort", "run", "--ids"}).out, "bb\ncc\ndd\nff\n");
}

TEST_F(Gc, TakesTemporaryFilesOfTheDeadAndTouchesNoRunThatIsHeld) {
  const pid_t dead = fork();
  if (dead == 0) _exit(0);
  waitpid(dead, nullptr, 0);
  const std::string temporary = fmt::format(".tmp{}", dead);
  write_failed("aa", Code::run_failed);
  write_failed("bb", Code::data);
  auto held = RunFolder::claim(out_, "aa");
  make_folder(sweeps_folder(out_) / "s");
  make_folder(runs_folder(out_) / ".tmp-cc");
  make_folder(out_ / "shared");
  for (const char* file : {"runs/aa/run.json", "runs/bb/run.json", "sweeps/s/plan-1.json",
                           "shared/centers-1.safetensors", "shared/centers-2.safetensors", "runs/.tmp-cc/run.json"})
    write_file_atomically(fs::path(out_ / file).concat(temporary), "half");
  write_file_atomically(fs::path(out_ / "sweeps/s/plan-1.json").concat(fmt::format(".tmp{}", getpid())),
                        "being written");
  write_file_atomically(out_ / "shared/centers-3.safetensors", "orphan");
  write_file_atomically(out_ / "shared/centers-4.safetensors", "being made");
  const FileLock making = FileLock::wait_lock(out_ / "shared/centers-4.lock");
  const Finished got = run({"gc", "--yes"});
  ASSERT_EQ(got.code, 0) << got.err;
  std::vector<std::string> left;
  for (const auto& entry : fs::recursive_directory_iterator(out_))
    if (const std::string name = fs::relative(entry.path(), out_);
        name.find(".tmp") != std::string::npos || name.starts_with("shared/"))
      left.push_back(name);
  std::sort(left.begin(), left.end());
  EXPECT_EQ(left, (Words{"runs/aa/run.json" + temporary, "shared/centers-4.lock", "shared/centers-4.safetensors",
                         fmt::format("sweeps/s/plan-1.json.tmp{}", getpid())}));
  held.reset();
  EXPECT_EQ(run({"gc", "--older-than", "1", "--yes"}).code, 0);  // it was written to today
  EXPECT_TRUE(fs::exists(folder("aa")));
  EXPECT_EQ(run({"gc", "--yes"}).code, 0);
  EXPECT_FALSE(fs::exists(folder("aa")));
}

}  // namespace
}  // namespace simmim
