// What TAB offers: keys, values, recipes, sweeps, run ids; asked of the program and of the shells themselves.
#include <gtest/gtest.h>

#include <cstdlib>

#include "cli/process.h"
#include "core/names.h"
#include "temporary.h"

namespace simmim {
namespace {

using Words = std::vector<std::string>;

// A folder with two runs, and a sweep in SIMMIM_OUT's place.
struct Completions : testing::Test {
  Temporary folder;
  Completions() {
    for (const char* run : {"runs/0a1b2c3d4e5f", "runs/0affffffffff", "sweeps/mine"})
      make_folder(folder / "results" / run);
  }
  Words complete(const Words& words) {
    const Finished got = simmim_run(Words{"complete", "--"} + words, {}, (folder / "").string());
    EXPECT_EQ(got.code, 0) << got.err;
    Words out;
    for (const std::string& line : split(trim(got.out), '\n'))
      if (!line.empty()) out.push_back(line.substr(0, line.find('\t')));
    return out;
  }
  bool offers(const Words& words, const std::string& word) {
    const Words found = complete(words);
    return std::find(found.begin(), found.end(), word) != found.end();
  }
  // What a script of another program prints with this shell's completion at hand as the file $completion.
  std::string shell(const std::string& program, const std::string& script) {
    const fs::path bin = fs::path(SIMMIM_BINARY).parent_path();
    folder.write("completion", simmim_run({"completion", program}).out);
    folder.write("script", script);
    const std::string command =
        fmt::format("cd '{}' && PATH='{}':\"$PATH\" completion=./completion {} script > out 2> err",
                    (folder / "").string(), bin.string(), program == "zsh" ? "zsh -f" : program);
    EXPECT_EQ(std::system(command.c_str()), 0) << read_file(folder / "err");
    return read_file(folder / "out");
  }
  static bool is_installed(const std::string& program) {
    return std::system(("command -v " + program + " > /dev/null 2>&1").c_str()) == 0;
  }
};

TEST_F(Completions, OfferCommandsThenTheirOptionsAndTheirChoices) {
  EXPECT_EQ(complete({"pre"}), (Words{"pretrain", "predict"})) << join(complete({"pre"}), " ");
  EXPECT_FALSE(offers({""}, "complete"));
  EXPECT_TRUE(offers({"help", "sw"}, "sweep"));
  EXPECT_TRUE(offers({"sweep", "--dr"}, "--dry-run"));
  EXPECT_EQ(complete({"table", "x", "--format", "m"}), Words{"markdown"});
  EXPECT_EQ(complete({"table", "x", "--split", ""}), (Words{"val", "test"}));
  EXPECT_EQ(complete({"data", "fit"}), Words{"fit-clusters"});
  EXPECT_EQ(complete({"list", "he"}), Words{"heads"});
  EXPECT_EQ(complete({"completion", "z"}), Words{"zsh"});
  EXPECT_EQ(complete({"nonsense", ""}), Words{});
}

TEST_F(Completions, OfferKeysWithTheirValues) {
  EXPECT_EQ(complete({"pretrain", "mask.rat"}), Words{"mask.ratio="});
  EXPECT_EQ(complete({"pretrain", "mask.name=r"}), Words{"mask.name=random"});
  EXPECT_TRUE(offers({"pretrain", "mask.name"}, "mask.name=blockwise"));
  EXPECT_EQ(complete({"pretrain", "mask.ratio="}), Words{"mask.ratio=0.6"});
  EXPECT_EQ(complete({"sweep", "demo", "encoder.preset=swinv2_b"}), Words{"encoder.preset=swinv2_base"});
  EXPECT_EQ(complete({"pretrain", "data.name=fash"}), Words{"data.name=fashion_mnist"});
  EXPECT_TRUE(offers({"pretrain", "device="}, "device=cuda"));
  EXPECT_FALSE(offers({"pretrain", "device="}, "device=text"));
  EXPECT_TRUE(offers({"pretrain", "pretrain.schedule="}, "pretrain.schedule=cosine"));
  EXPECT_TRUE(offers({"finetune", "finetune.augment.enabled="}, "finetune.augment.enabled=false"));
  EXPECT_TRUE(offers({"finetune", "finetune.data.image"}, "finetune.data.image_size="));
  EXPECT_TRUE(offers({"runs", "--sort", "val_t"}, "val_top1"));
  EXPECT_TRUE(offers({"table", "mine", "--rows", "mask."}, "mask.patch"));
  EXPECT_TRUE(offers({"table", "mine", "--value", "finetune.val"}, "finetune.val_top1"));
}

TEST_F(Completions, OfferRecipesSweepsTablesAndRunIds) {
  EXPECT_TRUE(offers({"pretrain", "vit_b"}, "vit_base_224_800ep"));
  EXPECT_TRUE(offers({"sweep", "de"}, "demo"));
  EXPECT_TRUE(offers({"sweep", "paper/"}, "paper/1"));
  EXPECT_TRUE(offers({"sweep", "small/"}, "small/masks"));
  EXPECT_TRUE(offers({"table", "paper/"}, "paper/7"));
  EXPECT_EQ(complete({"table", "mi"}), Words{"mine"});
  EXPECT_EQ(complete({"status", ""}), Words{"mine"});
  Words runs = complete({"show", "0a"});
  std::sort(runs.begin(), runs.end());
  EXPECT_EQ(runs, (Words{"0a1b2c3d4e5f", "0affffffffff"}));
  EXPECT_EQ(complete({"finetune", "--from", "0a1"}), Words{"0a1b2c3d4e5f"});
  EXPECT_TRUE(offers({"finetune", "--from", ""}, "scratch"));
  EXPECT_FALSE(offers({"probe", "--from", ""}, "scratch"));
  EXPECT_TRUE(offers({"finetune", "finetune.from=0a"}, "finetune.from=0a1b2c3d4e5f"));
  EXPECT_EQ(complete({"show", "--out", "elsewhere", "0a"}), Words{});
  make_folder(folder / "elsewhere/runs/0abc");
  EXPECT_EQ(complete({"show", "--out", "elsewhere", "0a"}), Words{"0abc"});
}

TEST_F(Completions, OfferKeysAndValuesOfConditions) {
  EXPECT_TRUE(offers({"runs", "mask."}, "mask.ratio="));
  EXPECT_TRUE(offers({"runs", "state=d"}, "state=done"));
  EXPECT_TRUE(offers({"runs", "mask.patch=8 mask.na"}, "mask.patch=8 mask.name="));
  folder.write("ratios.json", R"({"axes": [{"grid": {"mask.ratio": [0.4, 0.6]}}]})");
  EXPECT_EQ(complete({"sweep", (folder / "ratios.json").string(), "--only", ""}),
            (Words{"mask.ratio=0.4", "mask.ratio=0.6", "seed="}));
}

TEST_F(Completions, WorkInBash) {
  EXPECT_EQ(shell("bash", R"(. $completion
try() { COMP_LINE=$1; COMP_POINT=${#1}; COMPREPLY=(); _simmim; echo "${COMPREPLY[*]}"; }
try 'simmim st'
try 'simmim pretrain mask.na'
try 'simmim pretrain mask.name='
try 'simmim pretrain mask.ratio=0.4 loss.name=sm'
try 'simmim show 0a1'
try 'simmim table paper/7'
try 'simmim predict val:0'
complete -p simmim
)"),
            "status\nmask.name=\nblockwise random square\nsmooth_l1\n0a1b2c3d4e5f\npaper/7\n\n"
            "complete -o default -F _simmim simmim\n");
}

TEST_F(Completions, WorkInZsh) {
  if (!is_installed("zsh")) GTEST_SKIP() << "zsh is not installed";
  // compadd works inside of a completion only: here it prints what it is given.
  EXPECT_EQ(
      shell("zsh", R"(compdef() { : }
compadd() { print -r -- "$@" }
. $completion
try() { words=("$@"); CURRENT=$#; _simmim }
try simmim st
try simmim pretrain mask.name
try simmim show 0a1
)"),
      "-- status\n-S  -- mask.name=\n-- mask.name=blockwise mask.name=random mask.name=square\n-- 0a1b2c3d4e5f\n");
}

TEST_F(Completions, WorkInFish) {
  if (!is_installed("fish")) GTEST_SKIP() << "fish is not installed";
  const std::string got = shell("fish",
                                "source $completion\ncomplete -C 'simmim st'\ncomplete -C 'simmim show 0a1'\n"
                                "complete -C 'simmim pretrain mask.name=r'\n");
  for (const char* part : {"status\t", "0a1b2c3d4e5f", "mask.name=random"})
    EXPECT_NE(got.find(part), std::string::npos) << got;
}

TEST(ManualPage, HasEveryCommandItsOptionsAndTheExitCodes) {
  const std::string page = simmim_run({"completion", "man"}).out;
  for (const char* part : {".TH SIMMIM 1", ".SH NAME", "simmim pretrain", "simmim report", "\\-\\-dry\\-run",
                           ".SH EXIT STATUS", "SIMMIM_OUT"})
    EXPECT_NE(page.find(part), std::string::npos) << part;
  EXPECT_EQ(simmim_run({"completion", "tcsh"}).code, 2);
}

}  // namespace
}  // namespace simmim
