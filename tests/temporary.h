// Helpers of many tests: a folder that is removed again, the message of an Error, a process that may be limited.
#pragma once
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <functional>
#include <string>

#include "core/error.h"
#include "core/files.h"

namespace simmim {

class Temporary {
 public:
  Temporary() {
    static std::atomic<int> next = 0;
    folder_ = fs::temp_directory_path() / fmt::format("simmim-test-{}-{}", ::getpid(), next++);
    make_folder(folder_);
  }
  ~Temporary() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  Temporary(const Temporary&) = delete;
  fs::path operator/(const std::string& name) const { return folder_ / name; }
  fs::path write(const std::string& name, std::string_view bytes) const {
    std::ofstream(folder_ / name, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return folder_ / name;
  }

 private:
  fs::path folder_;
};

// The message of the Error that `action` throws, after checking its code; "" if it throws none.
template <class Action>
std::string error_of(Code code, Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(static_cast<int>(error.code()), static_cast<int>(code)) << error.what();
    return error.what();
  }
  return "";
}

// Runs `action` in a child process, which a test may limit or kill; true if it returned true.
inline bool in_child(const std::function<bool()>& action) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(action() ? 0 : 1);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// From now on this process cannot make a file larger than this: what a full disk does, without one.
inline void limit_files_to(uint64_t bytes) {
  ::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{bytes, bytes};
  ::setrlimit(RLIMIT_FSIZE, &limit);
}

inline fs::path golden(const std::string& name) { return fs::path(SIMMIM_SOURCE_DIR) / "tests/golden" / name; }

}  // namespace simmim
