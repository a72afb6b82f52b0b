// The one error type for everything a user can cause. A message is one sentence: where, what was got, what is
// allowed, what to do. Only main() and the engine's C boundary catch it.
#pragma once
#include <fmt/format.h>

#include <stdexcept>
#include <string>

namespace simmim {

// Exit codes of the program; the same numbers travel over the engine's boundary.
enum class Code {
  ok = 0,
  run_failed = 1,
  usage = 2,        // a key, recipe, sweep, run or SQL that is unknown or wrong
  some_failed = 3,  // some runs of a sweep failed
  interrupted = 4,  // stopped by a signal, resumable
  data = 5,         // a data root, image, checkpoint, read-only folder, full disk
  device = 6,       // device or memory
  database = 7,
};

class Error : public std::runtime_error {
 public:
  Error(Code code, const std::string& message) : std::runtime_error(message), code_(code) {}
  Code code() const { return code_; }

 private:
  Code code_;
};

template <class... Args>
[[noreturn]] void fail(Code code, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(code, fmt::format(format, std::forward<Args>(args)...));
}

// An internal invariant, checked in release builds too; its failure is a bug of ours, not of the user.
#define SIMMIM_CHECK(condition, ...)                                                                              \
  do {                                                                                                            \
    if (!(condition))                                                                                             \
      throw std::logic_error(::fmt::format("{}:{}: internal error, please report it: {}: {}", __FILE__, __LINE__, \
                                           #condition, ::fmt::format(__VA_ARGS__)));                              \
  } while (false)

}  // namespace simmim
