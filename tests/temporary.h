// A folder that is removed again, and helpers to write bytes into it.
#pragma once
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
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
    write_file_atomically(folder_ / name, bytes);
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

inline fs::path golden(const std::string& name) { return fs::path(SIMMIM_SOURCE_DIR) / "tests/golden" / name; }

}  // namespace simmim
