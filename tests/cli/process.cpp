#include "cli/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "core/error.h"

namespace simmim {

Process::Process(std::vector<std::string> words, const Environment& environment, const std::string& cwd) {
  words.insert(words.begin(), SIMMIM_BINARY);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  int out[2], err[2];
  SIMMIM_CHECK(pipe2(out, O_CLOEXEC) == 0 && pipe2(err, O_CLOEXEC) == 0, "no pipe");
  pid_ = fork();
  if (pid_ == 0) {
    setpgid(0, 0);
    dup2(out[1], STDOUT_FILENO);
    dup2(err[1], STDERR_FILENO);
    for (const auto& [name, value] : environment) setenv(name.c_str(), value.c_str(), 1);
    if (!cwd.empty() && chdir(cwd.c_str()) != 0) _exit(126);
    execv(arguments[0], arguments.data());
    _exit(127);
  }
  close(out[1]);
  close(err[1]);
  out_ = out[0];
  err_ = err[0];
}

Process::~Process() {
  if (pid_ > 0) {
    kill(-pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  if (out_ >= 0) close(out_);
  if (err_ >= 0) close(err_);
}

bool Process::read_some() {
  pollfd ends[] = {{out_, POLLIN, 0}, {err_, POLLIN, 0}};  // a closed one is -1 and is passed over
  if (out_ < 0 && err_ < 0) return false;
  poll(ends, 2, -1);
  for (pollfd& end : ends) {
    if (end.revents == 0) continue;
    char bytes[4096];
    const ssize_t count = read(end.fd, bytes, sizeof bytes);
    std::string& text = end.fd == out_ ? result_.out : result_.err;
    if (count > 0) {
      text.append(bytes, static_cast<size_t>(count));
    } else {
      close(end.fd);
      (end.fd == out_ ? out_ : err_) = -1;
    }
  }
  return true;
}

bool Process::wait_for(const std::string& text) {
  while (result_.err.find(text) == std::string::npos)
    if (!read_some()) return false;
  return true;
}

bool Process::wait_for_output(const std::string& text) {
  while (result_.out.find(text) == std::string::npos)
    if (!read_some()) return false;
  return true;
}

void Process::signal(int number, bool group) const { kill(group ? -pid_ : pid_, number); }

Finished Process::finish() {
  while (read_some()) {
  }
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  result_.code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return result_;
}

Finished simmim_run(const std::vector<std::string>& words, const Process::Environment& environment,
                    const std::string& cwd) {
  return Process(words, environment, cwd).finish();
}

std::vector<std::string> operator+(std::vector<std::string> words, const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

const std::vector<std::string>& tiny() {
  static const std::vector<std::string> words = {
      "encoder.dim=32",    "encoder.depth=1",        "encoder.heads=2",           "data.limit=128",
      "data.workers=0",    "pretrain.epochs=2",      "pretrain.batch_size=32",    "pretrain.warmup_epochs=0.5",
      "finetune.epochs=2", "finetune.batch_size=32", "finetune.warmup_epochs=0.5"};
  return words;
}

}  // namespace simmim
