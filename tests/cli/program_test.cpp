// Help, unknown words, formats, exit codes: what needs no engine.
#include <gtest/gtest.h>

#include <fstream>

#include "cli/process.h"
#include "core/names.h"
#include "temporary.h"

namespace simmim {
namespace {

std::vector<std::string> command_names() {
  std::vector<std::string> names;
  for (const std::string& line : split(simmim_run({}).out, '\n'))
    if (line.starts_with("  ") && !line.starts_with("  simmim") && line.size() > 15)
      names.push_back(trim(line.substr(2, 12)));
  return names;
}

TEST(Program, WithoutWordsShowsExamplesThenTheCommands) {
  const Finished overview = simmim_run({});
  EXPECT_EQ(overview.code, 0);
  EXPECT_LT(overview.out.find("simmim pretrain "), overview.out.find("Train:"));
  EXPECT_EQ(simmim_run({"--help"}).out, overview.out);
  EXPECT_GT(command_names().size(), 20u);
}

TEST(Program, HelpOfEveryCommandOpensWithAnExample) {
  for (const std::string& name : command_names()) {
    const Finished help = simmim_run({name, "--help"});
    EXPECT_EQ(help.code, 0) << name;
    EXPECT_TRUE(help.out.starts_with("Example:\n  ")) << name << ": " << help.out;
    EXPECT_NE(help.out.find("--out DIR"), std::string::npos) << name;
    EXPECT_EQ(simmim_run({"help", name}).out, help.out);
  }
}

TEST(Program, HelpOfAStageListsTheKeysThatItReadsAndNoOthers) {
  const std::string pretrain = simmim_run({"pretrain", "--help"}).out,
                    finetune = simmim_run({"finetune", "--help"}).out;
  EXPECT_NE(pretrain.find("mask.ratio"), std::string::npos);
  EXPECT_NE(pretrain.find("\n  seed "), std::string::npos);
  EXPECT_EQ(finetune.find("mask.ratio"), std::string::npos);
  EXPECT_NE(finetune.find("finetune.layer_decay"), std::string::npos);
}

TEST(Program, HelpOfACommandThatReadsAConfigurationListsItsKeys) {
  const std::pair<const char*, const char*> keys[] = {
      {"mask", "mask.min_block"},    {"reconstruct", "mask.ratio"}, {"predict", "data.image_size"},
      {"eval", "data.test"},         {"bench", "head.name"},        {"export", "encoder.window"},
      {"import", "data.image_size"}, {"data", "data.holdout"},      {"data", "dvae.vocabulary"}};
  for (const auto& [command, key] : keys)
    EXPECT_NE(simmim_run({command, "--help"}).out.find(key), std::string::npos) << command << " " << key;
  EXPECT_EQ(simmim_run({"eval", "--help"}).out.find("mask.ratio"), std::string::npos);
  const std::string data = simmim_run({"data", "--help"}).out;
  EXPECT_EQ(data.find("object"), std::string::npos);
}

TEST(Program, UnknownWordsAreUsageErrorsWithTheNearestName) {
  const auto says = [](const std::vector<std::string>& words, const std::string& text) {
    const Finished got = simmim_run(words);
    EXPECT_EQ(got.code, 2) << words[0];
    EXPECT_NE(got.err.find(text), std::string::npos) << got.err;
    EXPECT_EQ(got.out, "");
  };
  says({"pretrian"}, "unknown command 'pretrian'; did you mean 'pretrain'?");
  says({"runs", "--colums", "a"}, "unknown option --colums; did you mean '--columns'?");
  says({"list", "haeds"}, "did you mean 'heads'?");
  says({"sweep", "nosuch"}, "sweep 'nosuch': no such file or sweep");
  says({"pretrain", "nosuch"}, "recipe 'nosuch': no such file or recipe");
  says({"pretrain", "--threads", "two"}, "allowed: a whole number");
  says({"pretrain", "--threads", "0"}, "--threads: got '0'; allowed: a whole number from 1");
  says({"sweep", "demo", "--seeds", "0"}, "--seeds: got '0'; allowed: a whole number from 1");
  says({"runs", "--format", "jsno"}, "did you mean 'json'?");
  says({"version", "extra"}, "unexpected argument 'extra'");
  says({"finetune"}, "--from is missing");
}

class EmptyResults : public testing::Test {
 protected:
  Finished run(const std::vector<std::string>& words) { return simmim_run(words, {{"SIMMIM_OUT", out()}}); }
  std::string out() { return (folder_ / "results").string(); }
  Temporary folder_;
};

TEST_F(EmptyResults, AreReadWithoutMakingAnything) {
  for (const auto& words :
       {std::vector<std::string>{"runs"}, {"status"}, {"query", "SELECT * FROM results"}, {"list", "tables"}})
    EXPECT_EQ(run(words).code, 0) << words[0];
  EXPECT_FALSE(fs::exists(out()));
}

TEST_F(EmptyResults, UnknownRunsSweepsAndWrongSqlAreUsageErrors) {
  for (const auto& words : {std::vector<std::string>{"show", "abc"},
                            {"log", "latest"},
                            {"status", "nosuch"},
                            {"table", "nosuch"},
                            {"plot", "nosuch"},
                            {"query", "SELEC 1"},
                            {"query", "DROP TABLE runs"},
                            {"compare", "a", "b"}})
    EXPECT_EQ(run(words).code, 2) << words[0] << " " << words[1];
}

TEST_F(EmptyResults, QueryPrintsEveryFormat) {
  const std::string sql = "SELECT 1 AS a, 'x,y' AS b, NULL AS c";
  EXPECT_EQ(run({"query", sql, "--format", "csv"}).out, "a,b,c\n1,\"x,y\",\n");
  EXPECT_EQ(run({"query", sql, "--json"}).json().dump(), R"([{"a":1,"b":"x,y","c":null}])");
  EXPECT_EQ(run({"query", sql, "--format", "jsonl"}).out, "{\"a\":1,\"b\":\"x,y\",\"c\":null}\n");
  EXPECT_TRUE(run({"query", sql, "--format", "markdown"}).out.starts_with("|"));
}

TEST_F(EmptyResults, OutputGoesToTheFileInTheFormatOfItsSuffix) {
  const std::string file = (folder_ / "a.csv").string();
  const Finished got = run({"query", "SELECT 1 AS a", "-o", file});
  EXPECT_EQ(got.out, "");
  EXPECT_EQ(read_file(file), "a\n1\n");
  EXPECT_EQ(run({"query", "SELECT 1 AS a", "-o", "/dev/null"}).code, 0);
}

TEST_F(EmptyResults, DatabaseOfANewerVersionIsRefused) {
  make_folder(out());
  ASSERT_EQ(run({"db", "rebuild"}).code, 0);
  ASSERT_EQ(std::system(("python3 -c \"import sqlite3; c = sqlite3.connect('" + out() +
                         "/simmim.db'); c.execute('update schema_version set version = 999'); c.commit()\"")
                            .c_str()),
            0);
  const Finished got = run({"runs"});
  EXPECT_EQ(got.code, 7);
  EXPECT_NE(got.err.find("newer simmim"), std::string::npos);
}

TEST(Program, FullDiskBehindStandardOutputIsAnError) {
  const Finished got = simmim_run({"query", "SELECT 1", "-o", "/dev/full"});
  EXPECT_EQ(got.code, 5);
  EXPECT_EQ(std::system(SIMMIM_BINARY " list > /dev/full 2> /dev/null") >> 8, 5);
}

}  // namespace
}  // namespace simmim
