// The program as its users meet it: a process with a command line, standard output, standard error and an exit code.
#pragma once
#include <sys/types.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/json.h"

namespace simmim {

struct Finished {
  int code = -1;  // exit code, or 128 + signal
  std::string out, err;
  Json json() const { return Json::parse(out); }
};

class Process {
 public:
  using Environment = std::map<std::string, std::string>;

  // Starts the program in a process group of its own, with `environment` added to ours. cwd: "" = ours.
  explicit Process(std::vector<std::string> words, const Environment& environment = {}, const std::string& cwd = "");
  ~Process();  // kills what is left of it
  Process(const Process&) = delete;

  // Reads until `text` has come on standard error (true) or the program has ended (false).
  bool wait_for(const std::string& text);
  bool wait_for_output(const std::string& text);  // the same of standard output
  void signal(int number, bool group = false) const;
  Finished finish();  // reads to the end and reaps
  pid_t pid() const { return pid_; }

 private:
  bool read_some();  // false: both ends are closed
  pid_t pid_ = -1;
  int out_ = -1, err_ = -1;
  Finished result_;
};

// Runs `simmim WORDS...` to its end.
Finished simmim_run(const std::vector<std::string>& words, const Process::Environment& environment = {},
                    const std::string& cwd = "");

// Words, and the leaves of a configuration that trains within a second: 2 epochs of 4 steps.
std::vector<std::string> operator+(std::vector<std::string> words, const std::vector<std::string>& more);
const std::vector<std::string>& tiny();

}  // namespace simmim
