// Weights in and out through the program: export, import, inspect, reconstruct and what they refuse.
#include <gtest/gtest.h>

#include "cli/process.h"
#include "temporary.h"

namespace simmim {
namespace {

using Words = std::vector<std::string>;

class Weights : public testing::Test {
 protected:
  Finished run(const Words& words) {
    return simmim_run(words, {{"SIMMIM_OUT", (folder_ / "results").string()}, {"SIMMIM_THREADS", "1"}});
  }
  std::string at(const std::string& name) { return (folder_ / name).string(); }
  Temporary folder_;
};

TEST_F(Weights, OfTheOfficialCodeAreExportedImportedInspectedAndUsed) {
  const Finished exported =
      run({"export", "--from", golden("vit_finetune.pth").string(), "--format", "hf", "-o", at("model"), "--json"});
  ASSERT_EQ(exported.code, 0) << exported.err;
  EXPECT_NE(exported.json()["load"].get<std::string>().find("BeitForImageClassification.from_pretrained"),
            std::string::npos);
  const Finished imported = run({"import", at("model"), "-o", at("ours.safetensors")});
  ASSERT_EQ(imported.code, 0) << imported.err;
  EXPECT_NE(imported.err.find("next: simmim finetune --from " + at("ours.safetensors")), std::string::npos);
  const Json description = run({"inspect", at("model"), "--json"}).json();
  EXPECT_EQ(description["names"], "hf");
  EXPECT_EQ(description["kind"], "finetune");
  EXPECT_EQ(description["parameters"], 50549);
  const auto logits = [&](const std::string& from) {
    return run({"predict", "--from", from, golden("images/img_0.png").string(), "--json"})
        .json()["images"][0]["logits"];
  };
  const Json wanted = logits(golden("vit_finetune.pth").string());
  EXPECT_EQ(wanted.size(), 5u);
  EXPECT_EQ(logits(at("model")), wanted);
  EXPECT_EQ(logits(at("ours.safetensors")), wanted);
}

TEST_F(Weights, OfTransformersAndTimmAreFineTunedAndProbedAsTheyAre) {
  ASSERT_EQ(
      run({"export", "--from", golden("vit_pretrain.pth").string(), "--format", "timm", "-o", at("t.safetensors")})
          .code,
      0);
  const Words data = {"data.limit=64", "data.workers=0", "--json"};
  const Finished tuned = run(Words{"finetune", "--from", at("t.safetensors"), "finetune.epochs=1",
                                   "finetune.warmup_epochs=0.5", "finetune.batch_size=16"} +
                             data);
  EXPECT_EQ(tuned.code, 0) << tuned.err;
  const Finished probed = run(Words{"probe", "--from", at("t.safetensors"), "probe.name=knn"} + data);
  EXPECT_EQ(probed.code, 0) << probed.err;
  const Finished pretrained = run(Words{"pretrain", "--from", at("t.safetensors"), "pretrain.epochs=1",
                                        "pretrain.warmup_epochs=0.5", "pretrain.batch_size=16"} +
                                  data);
  EXPECT_EQ(pretrained.code, 0) << pretrained.err;
}

// The normalisation and the names of the classes go along: Fashion-MNIST's are not ImageNet's.
TEST_F(Weights, ThatAreExportedAsPthClassifyAsTheRunDoes) {
  ASSERT_EQ(run(Words{"finetune", "--from", "scratch"} + tiny()).code, 0);
  ASSERT_EQ(run({"export", "--from", "latest", "--format", "simmim", "-o", at("ft.pth")}).code, 0);
  const Finished of_run = run({"eval", "--from", "latest", "--json"}),
                 of_file = run({"eval", "--from", at("ft.pth"), "--json"});
  ASSERT_EQ(of_file.code, 0) << of_file.err;
  EXPECT_EQ(of_file.json()["top1"], of_run.json()["top1"]);
  EXPECT_EQ(of_file.json()["classes"], of_run.json()["classes"]);
  EXPECT_EQ(run({"inspect", at("ft.pth"), "--json"}).json()["model"]["classes"][9], "ankle-boot");
}

TEST_F(Weights, ThatDoNotSayTheirNormalisationAreWarnedOfWhereItMatters) {
  const auto warning = [&](const Words& more) {
    const Finished got = run(Words{"finetune", "--from", golden("vit_pretrain.pth").string(), "--dry-run"} + more);
    EXPECT_EQ(got.code, 0) << got.err;
    return got.err.find("does not say how its images were normalised") != std::string::npos;
  };
  EXPECT_TRUE(warning({}));
  EXPECT_FALSE(warning({"data.mean=imagenet", "data.std=imagenet"}));
}

TEST_F(Weights, ThatDoNotFitTheEncoderAreRefusedByTheDryRun) {
  const auto says = [&](const Words& words, int code, const std::string& text) {
    const Finished got = run(words + Words{"--dry-run"});
    EXPECT_EQ(got.code, code) << got.err;
    EXPECT_NE(got.err.find(text), std::string::npos) << got.err;
  };
  const std::string swin = golden("swin_pretrain.pth").string();
  for (const char* stage : {"pretrain", "finetune", "probe"}) {
    says({stage, "--from", swin}, 0, "");
    for (const char* option : {"encoder.dim=16", "encoder.name=vit", "encoder.depths=[1,1,1,1]"})
      says({stage, "--from", swin, option}, 2, "these weights do not fit the model");
  }
  says({"probe", "--from", swin, "probe.layer=99"}, 2,
       "probe.layer: got 99; allowed: all, last or a block number from 1 to");
}

TEST_F(Weights, AreReconstructedWithTheOfficialLoss) {
  const Json numbers =
      read_json_file(golden("expected.json"))["pretrain_forward"]["swin"]["images"]["images/img_1.png"];
  const Finished got =
      run({"reconstruct", "--from", golden("swin_pretrain.pth").string(), golden("images/img_1.png").string(), "--mask",
           golden(numbers["mask"]).string(), "--json", "-o", at("sheet.png")});
  ASSERT_EQ(got.code, 0) << got.err;
  const double truth = numbers["f64"]["loss"];
  EXPECT_NEAR(got.json()["images"][0]["loss"].get<double>(), truth, 1e-6 * truth);
  EXPECT_TRUE(read_file(at("sheet.png")).starts_with("\x89PNG"));
}

TEST_F(Weights, ThatAreWrongAreRefusedInOneSentenceWithTheirExitCode) {
  const auto says = [&](const Words& words, int code, const std::string& text) {
    const Finished got = run(words);
    EXPECT_EQ(got.code, code) << got.err;
    EXPECT_NE(got.err.find(text), std::string::npos) << got.err;
    EXPECT_EQ(std::count(got.err.begin(), got.err.end(), '\n'), 1) << got.err;
  };
  const std::string vit = golden("vit_pretrain.pth").string(), swin = golden("swin_pretrain.pth").string();
  says({"export", "-o", at("x.safetensors")}, 2, "--from is missing");
  says({"export", "--from", vit}, 2, "-o is missing");
  says({"export", "--from", vit, "--format", "tim", "-o", at("x.safetensors")}, 2, "did you mean 'timm'?");
  says({"export", "--from", vit, "--format", "timm", "-o", at("x.pth")}, 2, "allowed: a .safetensors file");
  says({"export", "--from", swin, "--format", "hf", "-o", at("x")}, 2, "one window for all stages");
  says({"import", at("nothing.pth")}, 5, "no such file");
  says({"inspect", at("nowhere/x")}, 5, "no such file");
  says({"inspect", "nothing.safetensors"}, 5, "no such file");
  says({"inspect", "nothing"}, 2, "has this id");
  says({"finetune", "--from", at("nowhere/x")}, 5, "no such file");
  says({"predict", "--from", golden("vit_finetune.pth").string(), "data.mean=imagenet", "data.std=imagenet", "val:9-1"},
       2, "val:9-1: the range ends before it begins; write val:1-9");
  says({"data", "fetch"}, 2, "data fetch: no data set is named; allowed: photo_tiles");
  says({"import", golden("remap_tables.safetensors").string(), "-o", at("x.safetensors")}, 5,
       "no patch_embed.proj.weight");
  says({"import", folder_.write("cut.pth", read_file(vit).substr(0, 100000)).string()}, 5, "cut off or damaged");
  EXPECT_FALSE(fs::exists(at("x.safetensors")));
}

}  // namespace
}  // namespace simmim
