// What a person sees: live lines on a terminal, plain lines elsewhere. Needs the engine and Fashion-MNIST.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/process.h"
#include "core/names.h"
#include "temporary.h"

namespace simmim {
namespace {

using Words = std::vector<std::string>;

// Everything that the program writes to a terminal of 120 columns.
std::string on_a_terminal(Words words, const std::string& term) {
  words.insert(words.begin(), SIMMIM_BINARY);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  winsize size{.ws_row = 40, .ws_col = 120, .ws_xpixel = 0, .ws_ypixel = 0};
  int terminal = -1;
  const pid_t child = forkpty(&terminal, nullptr, nullptr, &size);
  if (child == 0) {
    setenv("TERM", term.c_str(), 1);
    execv(arguments[0], arguments.data());
    _exit(127);
  }
  std::string text;
  char bytes[4096];
  for (ssize_t count; (count = read(terminal, bytes, sizeof bytes)) > 0;)
    text.append(bytes, static_cast<size_t>(count));
  waitpid(child, nullptr, 0);
  close(terminal);
  return text;
}

TEST(Screen, RunIsOneLiveLineOnATerminal) {
  Temporary folder;
  const std::string text = on_a_terminal(Words{"pretrain", "--out", (folder / "r").string()} + tiny(), "xterm");
  EXPECT_NE(text.find("\r\033[J"), std::string::npos);
  for (const char* part : {"epoch 2.0/2", "step 8/8", "loss 0.", "img/s", " left"})
    EXPECT_NE(text.find(part), std::string::npos) << part;
}

TEST(Screen, SweepIsALineAWorkerAndATotalThatFollowsEachRun) {
  Temporary folder;
  Json set = Json::object();
  for (const std::string& word : tiny()) {
    const auto [key, value] = parse_override(word);
    set[key] = value;
  }
  const fs::path file = folder.write(
      "s.json", Json({{"set", set}, {"stages", {"pretrain"}}, {"seeds", 2}, {"resources", {{"threads", 1}}}}).dump());
  const std::string text =
      on_a_terminal({"sweep", file.string(), "--jobs", "1", "--out", (folder / "r").string()}, "xterm");
  EXPECT_NE(text.find("1  starting  pretrain of all, seed 0"), std::string::npos) << text;
  EXPECT_NE(text.find("0/2 runs done, 1 running"), std::string::npos) << text;
  for (const char* total : {"1/2 runs done, 0 running", "2/2 runs done, 0 running"}) {  // redrawn as it is by then
    const size_t done =
        text.find("  done    pretrain of all", total[0] == '1' ? 0 : text.find("pretrain of all, seed 1"));
    ASSERT_NE(done, std::string::npos) << text;
    const size_t next = text.find("/2 runs done", done);
    ASSERT_NE(next, std::string::npos) << text;
    EXPECT_EQ(text.substr(next - 1, std::string(total).size()), total) << text;
  }
  EXPECT_NE(text.find("2 done, 0 reused"), std::string::npos) << text;
}

TEST(Screen, RunIsOnePlainLineAnEpochElsewhere) {
  Temporary folder;
  const Words words = Words{"pretrain", "--out", (folder / "r").string()} + tiny();
  const std::string dumb = on_a_terminal(words, "dumb");
  EXPECT_EQ(dumb.find('\033'), std::string::npos);
  EXPECT_NE(dumb.find("epoch 1: "), std::string::npos);
  const Finished piped = simmim_run(words + Words{"--fresh"});
  EXPECT_EQ(piped.err.find('\033'), std::string::npos);
  EXPECT_NE(piped.err.find("epoch 2: "), std::string::npos);
  EXPECT_EQ(simmim_run(words + Words{"--fresh", "--quiet"}).err, "");
}

}  // namespace
}  // namespace simmim
