// A folder that goes with its scope.
#pragma once
#include <unistd.h>

#include "core/error.h"
#include "core/files.h"

namespace simmim {

struct TemporaryFolder {
  fs::path path;
  explicit TemporaryFolder(const std::string& name)
      : path(fs::temp_directory_path() / fmt::format("{}-{}", name, getpid())) {
    make_folder(path);
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
};

}  // namespace simmim
