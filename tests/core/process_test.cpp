#include "core/process.h"

#include <gtest/gtest.h>

namespace simmim {
namespace {

TEST(RunCommand, HearsBothEndsAndTheExitCode) {
  const CommandResult result = run_command({"sh", "-c", "echo out; echo err >&2; exit 3"});
  EXPECT_EQ(result.code, 3);
  EXPECT_EQ(result.out, "out\n");
  EXPECT_EQ(result.err, "err\n");
}

TEST(RunCommand, HearsMoreThanAPipeHolds) {
  const CommandResult result = run_command({"sh", "-c", "yes | head -n 100000; yes | head -n 100000 >&2"});
  EXPECT_EQ(result.out.size(), 200000u);
  EXPECT_EQ(result.err.size(), 200000u);
}

TEST(RunCommand, TellsASignalAndAMissingProgram) {
  EXPECT_EQ(run_command({"sh", "-c", "kill -9 $$"}).code, 128 + 9);
  EXPECT_EQ(run_command({"no-such-program"}).code, 127);
}

TEST(ShellQuoted, IsReadBackAsOneWord) {
  for (const std::string word : {"plain", "two words", "it's", "$HOME", "", "a;b", "*"})
    EXPECT_EQ(run_command({"sh", "-c", "printf %s " + shell_quoted(word)}).out, word);
}

}  // namespace
}  // namespace simmim
