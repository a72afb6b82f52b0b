// One run from the command line: dry run, reuse, interruption, wrong input. Needs the engine and Fashion-MNIST.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <cmath>

#include "cli/process.h"
#include "core/names.h"
#include "temporary.h"

namespace simmim {
namespace {

using Words = std::vector<std::string>;

class Run : public testing::Test {
 protected:
  Finished run(const Words& words) { return simmim_run(words, environment()); }
  Process::Environment environment() { return {{"SIMMIM_OUT", out()}, {"SIMMIM_THREADS", "1"}}; }
  std::string out() { return (folder_ / "results").string(); }
  fs::path file(const std::string& id, const std::string& name) { return fs::path(out()) / "runs" / id / name; }
  Temporary folder_;
};

TEST_F(Run, DryRunShowsTheResolvedConfigurationAndMakesNothing) {
  const Finished got = run(Words{"pretrain", "--dry-run", "mask.ratio=0.5"} + tiny());
  EXPECT_EQ(got.code, 0) << got.err;
  EXPECT_NE(got.out.find("\"ratio\": 0.5"), std::string::npos);
  EXPECT_EQ(got.out.find("\"device\": \"auto\""), std::string::npos);
  for (const char* part : {"peak_lr", "parameters", "flops_per_image", "steps", "\nmemory ", "\ndisk "})
    EXPECT_NE(got.out.find(part), std::string::npos) << part;
  EXPECT_NE(got.out.find("guessed from FLOPs"), std::string::npos) << got.out;  // before any run
  EXPECT_FALSE(fs::exists(out()));
}

TEST_F(Run, DryRunTellsTheTimeThatARunLikeItTook) {
  ASSERT_EQ(run(Words{"pretrain"} + tiny()).code, 0);
  const Finished got = run(Words{"pretrain", "--dry-run", "mask.ratio=0.5"} + tiny());
  EXPECT_NE(got.out.find("as runs like it took"), std::string::npos) << got.out;
}

// A batch of many tokens, so that most of the memory is the model's and not the program's.
TEST_F(Run, NeedsTheMemoryThatItsPlanSays) {
  const Words words =
      Words{"pretrain", "--json"} + tiny() +
      Words{"data.image_size=128", "encoder.patch=8",          "mask.patch=16",           "encoder.dim=128",
            "pretrain.epochs=1",   "pretrain.warmup_epochs=0", "pretrain.batch_size=128", "data.limit=150"};
  const double planned = run(words + Words{"--dry-run"}).json()["plan"]["memory"];
  const Finished got = run(words);
  ASSERT_EQ(got.code, 0) << got.err;
  EXPECT_NEAR(got.json()["summary"]["peak_memory"].get<double>(), planned, 0.25 * planned);
}

TEST_F(Run, BeginsItsLogWithStepsAndPeakRate) {
  const std::string id = run(Words{"pretrain", "--json"} + tiny()).json()["id"];
  const std::string log = read_file(file(id, "log.txt"));
  EXPECT_NE(log.substr(0, log.find('\n')).find("8 steps of 32 images, peak rate 0.001"), std::string::npos) << log;
}

TEST_F(Run, IsReusedByTheSameCommandAndStartedOverWhenAsked) {
  const Finished first = run(Words{"pretrain", "--json"} + tiny());
  ASSERT_EQ(first.code, 0) << first.err;
  const std::string id = first.json()["id"], weights = read_file(file(id, "final.safetensors"));
  EXPECT_EQ(first.json()["state"], "done");
  EXPECT_NE(first.err.find("next: simmim finetune --from " + id), std::string::npos);
  const auto written = fs::last_write_time(file(id, "final.safetensors"));
  EXPECT_NE(run(Words{"pretrain"} + tiny()).err.find("is already done: reused"), std::string::npos);
  EXPECT_EQ(fs::last_write_time(file(id, "final.safetensors")), written);
  ASSERT_EQ(run(Words{"pretrain", "--fresh"} + tiny()).code, 0);
  EXPECT_NE(fs::last_write_time(file(id, "final.safetensors")), written);
  EXPECT_EQ(read_file(file(id, "final.safetensors")), weights);
}

TEST_F(Run, IsFineTunedEvaluatedAndReconstructed) {
  const std::string pretrained = run(Words{"pretrain", "--json"} + tiny()).json()["id"];
  const Finished tuned = run(Words{"finetune", "--from", pretrained, "--json", "finetune.epochs=1",
                                   "finetune.warmup_epochs=0.5", "finetune.batch_size=32"});
  ASSERT_EQ(tuned.code, 0) << tuned.err;
  const std::string id = tuned.json()["id"];
  EXPECT_EQ(run({"show", id.substr(0, 6), "--json"}).json()["run"]["parent"], pretrained);
  EXPECT_EQ(run({"eval", "--from", id}).code, 0);
  EXPECT_TRUE(fs::exists(file(id, "eval.safetensors")));
  EXPECT_EQ(run({"predict", "--from", id, "test:0-2", "--json"}).json()["images"].size(), 3u);
  const std::string sheet = (folder_ / "sheet.png").string();
  EXPECT_EQ(run({"reconstruct", "--from", pretrained, "val:0-3", "-o", sheet}).code, 0);
  EXPECT_TRUE(read_file(sheet).starts_with("\x89PNG"));
  EXPECT_EQ(split(trim(run({"runs", "--ids"}).out), '\n').size(), 2u);
}

TEST_F(Run, PredictsColourClustersFittedOrRead) {
  const std::string centers = (folder_ / "centers.npy").string();
  const Words data = {"data.limit=200", "target.clusters=12", "target.fit.steps=10"};
  const Finished fit = run(Words{"data", "fit-clusters", "-o", centers, "--json"} + data);
  ASSERT_EQ(fit.code, 0) << fit.err;
  EXPECT_EQ(fit.json()["clusters"], 12);
  EXPECT_EQ(fit.json()["images"], 200);  // of the training split
  EXPECT_GT(fit.json()["inertia"].get<double>(), 0);
  EXPECT_LT(fit.json()["inertia"].get<double>(), 0.02);
  const std::string bytes = read_file(centers);
  ASSERT_EQ(run(Words{"data", "fit-clusters", "-o", centers, "--quiet"} + data).code, 0);
  EXPECT_EQ(read_file(centers), bytes);  // the same fit, to the bit

  const Finished trained =
      run(Words{"pretrain", "--json"} + tiny() +
          Words{"target.name=color_clusters", "loss.name=cross_entropy", "target.centers=" + centers});
  ASSERT_EQ(trained.code, 0) << trained.err;
  fs::remove(centers);  // the checkpoint holds them
  const std::string id = trained.json()["id"];
  const Finished drawn = run({"reconstruct", "--from", id, "val:0-1", "--json", "-o", (folder_ / "s.png").string()});
  ASSERT_EQ(drawn.code, 0) << drawn.err;
  for (const Json& image : drawn.json()["images"]) {
    EXPECT_NEAR(image["perplexity"].get<double>(), std::exp(image["loss"].get<double>()), 1e-3);
    EXPECT_GE(image["accuracy"].get<double>(), 0);
    EXPECT_LE(image["accuracy"].get<double>(), 100);
  }

  const std::string exported = (folder_ / "exported.safetensors").string();
  ASSERT_EQ(run({"export", "--from", id, "-o", exported}).code, 0);
  EXPECT_EQ(run({"reconstruct", "--from", exported, "val:0-1", "--json", "-o", (folder_ / "s.png").string()}).json(),
            drawn.json());
  EXPECT_EQ(run({"export", "--from", id, "--format", "simmim", "-o", exported, "--json"}).json()["left_out"],
            Json::array({"target.centers"}));
}

TEST_F(Run, InterruptSavesAndTheSameCommandEndsWithTheSameBits) {
  const Words words = Words{"pretrain"} + tiny() + Words{"pretrain.epochs=6"};
  const Finished whole = simmim_run(words + Words{"--json", "--out", (folder_ / "whole").string()}, environment());
  ASSERT_EQ(whole.code, 0) << whole.err;
  const std::string id = whole.json()["id"];
  Process process(words, environment());
  ASSERT_TRUE(process.wait_for("epoch 2:"));
  process.signal(SIGINT);
  const Finished stopped = process.finish();
  EXPECT_EQ(stopped.code, 4) << stopped.err;
  EXPECT_NE(stopped.err.find("the same command goes on"), std::string::npos);
  EXPECT_EQ(run({"runs", "--json"}).json()[0]["state"], "interrupted");
  ASSERT_EQ(run(words + Words{"--resume"}).code, 0);
  EXPECT_EQ(read_file(file(id, "final.safetensors")), read_file(folder_ / "whole" / "runs" / id / "final.safetensors"));
}

TEST_F(Run, WrongInputIsOneSentenceWithItsExitCode) {
  const auto says = [&](const Words& words, int code, const std::string& text) {
    const Finished got = run(words);
    EXPECT_EQ(got.code, code) << got.err;
    EXPECT_NE(got.err.find(text), std::string::npos) << got.err;
    EXPECT_EQ(std::count(got.err.begin(), got.err.end(), '\n'), 1) << got.err;
  };
  says({"pretrain", "mask.ratoi=0.5"}, 2, "did you mean 'ratio'?");
  says({"pretrain", "mask.patch=5"}, 2, "mask.patch");
  says({"pretrain", "head.name=lniear"}, 2, "did you mean 'linear'?");
  says({"pretrain", "data.root=/nowhere"}, 5, "/nowhere");
  says({"pretrain", "--from", "/nowhere.pth"}, 5, "/nowhere.pth");
  says({"pretrain", "--resume"}, 2, "--resume: no run");
  says({"finetune", "--from", "latest"}, 2, "latest");
  says({"data", "info", "--pixels", "64"}, 2, "--pixels is an option of data pack");
  says({"data", "pack", "--pixels", "1", "-o", "/nowhere"}, 2, "--pixels: got 1; allowed: 4 to 4096");
  says({"bench", "sweep", "--threads", "2"}, 2, "leave --threads out");
  says({"inspect", folder_.write("bad.pth", "not a checkpoint").string()}, 5, "bad.pth");
  EXPECT_FALSE(fs::exists(out()));
}

TEST_F(Run, TruncatedCheckpointIsRefusedAndStaysAsItIs) {
  const std::string id = run(Words{"pretrain", "--json"} + tiny()).json()["id"];
  const std::string bytes = read_file(file(id, "final.safetensors"));
  const std::string cut = folder_.write("cut.safetensors", bytes.substr(0, bytes.size() / 2)).string();
  for (const Words& words : {Words{"inspect", cut}, {"finetune", "--from", cut}, {"pretrain", "--from", cut}}) {
    const Finished got = run(words);
    EXPECT_EQ(got.code, 5) << got.err;
    EXPECT_NE(got.err.find("cut.safetensors: "), std::string::npos) << got.err;
    EXPECT_EQ(std::count(got.err.begin(), got.err.end(), '\n'), 1) << got.err;
  }
  EXPECT_EQ(read_file(cut).size(), bytes.size() / 2);
}

TEST_F(Run, WithADamagedCheckpointOfItsOwnSaysSoAndStartsOverOnlyWhenAsked) {
  const Words words = Words{"pretrain"} + tiny() + Words{"pretrain.epochs=6", "pretrain.save_steps=4"};
  Process process(words, environment());
  ASSERT_TRUE(process.wait_for("epoch 2:"));
  process.signal(SIGINT);
  ASSERT_EQ(process.finish().code, 4);
  const std::string id = run({"runs", "--json"}).json()[0]["run"];
  const std::string half = read_file(file(id, "last.safetensors")).substr(0, 1000);
  write_file_atomically(file(id, "last.safetensors"), half);
  const Finished got = run(words);
  EXPECT_EQ(got.code, 5) << got.err;
  EXPECT_NE(got.err.find("last.safetensors: "), std::string::npos) << got.err;
  EXPECT_EQ(read_file(file(id, "last.safetensors")), half);
  EXPECT_EQ(run(words + Words{"--fresh"}).code, 0);
}

TEST_F(Run, GoesOnBesideADatabaseOfANewerVersionAndLeavesItAlone) {
  make_folder(out());
  ASSERT_EQ(run({"db", "rebuild"}).code, 0);
  ASSERT_EQ(std::system(("python3 -c \"import sqlite3; c = sqlite3.connect('" + out() +
                         "/simmim.db'); c.execute('update schema_version set version = 999'); c.commit()\"")
                            .c_str()),
            0);
  const std::string before = read_file(fs::path(out()) / "simmim.db");
  const Finished got = run(Words{"pretrain"} + tiny());
  EXPECT_EQ(got.code, 0) << got.err;
  EXPECT_NE(got.err.find("warning: "), std::string::npos) << got.err;
  EXPECT_NE(got.err.find("newer simmim"), std::string::npos) << got.err;
  EXPECT_EQ(read_file(fs::path(out()) / "simmim.db"), before);
}

TEST_F(Run, ThatLosesItsNumbersNamesTheTensorThatWentBadFirst) {
  const Finished got =
      run(Words{"pretrain"} + tiny() +
          Words{"precision=f32", "pretrain.lr=1e30", "pretrain.warmup_epochs=0", "pretrain.max_skipped_steps=3"});
  EXPECT_EQ(got.code, 1) << got.err;
  EXPECT_NE(got.err.find("not finite"), std::string::npos) << got.err;
  const std::string why = run({"log", "latest", "--why"}).out;
  EXPECT_NE(why.find("first tensor that is not finite: the activations of block 1"), std::string::npos) << why;
}

TEST_F(Run, ReadOnlyFolderIsRefusedBeforeAnythingIsComputed) {
  const auto is_refused = [&](const fs::path& out) {
    const Finished got = simmim_run(Words{"pretrain", "--out", out.string()} + tiny(), environment());
    if (got.err.find("cannot open shared object file") != std::string::npos) {
      std::puts("not tried as another user than root, who alone can reach LibTorch");
      return true;
    }
    EXPECT_EQ(got.code, 5) << got.err;
    EXPECT_NE(got.err.find(out.string()), std::string::npos) << got.err;
    EXPECT_NE(got.err.find("cannot"), std::string::npos) << got.err;
    EXPECT_EQ(got.err.find("epoch"), std::string::npos) << got.err;
    return !testing::Test::HasFailure();
  };
  is_refused("/proc/results");  // where even root may write nothing
  const fs::path locked = folder_ / "locked";
  make_folder(locked);
  fs::permissions(locked,
                  fs::perms::owner_read | fs::perms::owner_exec | fs::perms::others_read | fs::perms::others_exec);
  EXPECT_TRUE(in_child([&] {
    if (::getuid() == 0 && ::setuid(65534) != 0) return false;
    if (::access(SIMMIM_BINARY, X_OK) == 0) return is_refused(locked / "results");
    std::puts("not tried as another user than root, who alone can reach the program");
    return true;
  }));
}

TEST_F(Run, ThatMayNotSkipImagesIsNoReuseOfOneThatDid) {
  fs::copy(golden("finetune8"), folder_ / "images", fs::copy_options::recursive);
  folder_.write("images/train/class0/p0.png", "no image");
  const Words words =
      Words{"pretrain"} + tiny() + Words{"data.name=image_folder", "data.root=" + (folder_ / "images").string(),
                                         "data.train=train",       "data.holdout=2",
                                         "data.split_seed=2",      "pretrain.batch_size=2"};
  const Finished skipping = run(words);
  ASSERT_EQ(skipping.code, 0) << skipping.err;
  const Json facts = run({"show", "latest", "--json"}).json();
  EXPECT_EQ(facts["summary"]["skipped_images"], 1) << facts["summary"].dump();
  const Finished failing = run(words + Words{"data.on_error=fail"});
  EXPECT_EQ(failing.code, 5) << failing.err;
  EXPECT_NE(failing.err.find("p0.png"), std::string::npos) << failing.err;
}

// The limit stands for a full disk: the same error of write(2), without a file system of its own.
TEST_F(Run, FullDiskKeepsTheLastCheckpointAndTheSameCommandContinues) {
  const Words words = Words{"pretrain"} + tiny() + Words{"pretrain.epochs=6", "pretrain.save_steps=4"};
  const Finished whole = simmim_run(words + Words{"--json", "--out", (folder_ / "whole").string()}, environment());
  ASSERT_EQ(whole.code, 0) << whole.err;
  const std::string id = whole.json()["id"];
  Process process(words, environment());
  ASSERT_TRUE(process.wait_for("epoch 2:"));
  process.signal(SIGINT);
  ASSERT_EQ(process.finish().code, 4);
  const std::string checkpoint = read_file(file(id, "last.safetensors"));
  const std::string log = (folder_ / "log").string();
  const std::string limited = "ulimit -f 100; SIMMIM_OUT='" + out() + "' SIMMIM_THREADS=1 '" SIMMIM_BINARY "' " +
                              join(words, " ") + " > /dev/null 2> '" + log + "'";
  EXPECT_EQ(std::system(limited.c_str()) >> 8, 5);
  EXPECT_NE(read_file(log).find("last.safetensors: cannot write " + std::to_string(checkpoint.size()) + " bytes"),
            std::string::npos)
      << read_file(log);
  EXPECT_EQ(read_file(file(id, "last.safetensors")), checkpoint);
  ASSERT_EQ(run(words).code, 0);
  EXPECT_EQ(read_file(file(id, "final.safetensors")), read_file(folder_ / "whole" / "runs" / id / "final.safetensors"));
}

TEST_F(Run, GoesOnWithAWarningWithoutItsDatabase) {
  const Finished got = run(Words{"pretrain", "--db", "/proc/simmim.db"} + tiny());
  EXPECT_EQ(got.code, 0) << got.err;
  EXPECT_NE(got.err.find("warning: /proc/simmim.db"), std::string::npos) << got.err;
  EXPECT_EQ(run({"db", "rebuild"}).code, 0);
  EXPECT_EQ(run({"runs", "--json"}).json().size(), 1u);
}

TEST_F(Run, SiteFileSaysWhereTheDataAre) {
  make_folder(folder_ / "site/simmim");
  write_file_atomically(folder_ / "site/simmim/site.json", R"({"data": "/nowhere"})");
  auto with_site = environment();
  with_site["XDG_CONFIG_HOME"] = (folder_ / "site").string();
  EXPECT_EQ(simmim_run(Words{"pretrain", "--dry-run"} + tiny(), with_site).code, 0);  // Debian's folder is still found
}

}  // namespace
}  // namespace simmim
