#include "kernels/plugin.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <filesystem>

namespace simmim {
namespace fs = std::filesystem;
namespace {

// The folder of the library or program that this code is linked into.
fs::path own_folder() {
  Dl_info info{};
  static const char here = 0;
  if (!::dladdr(&here, &info) || !info.dli_fname) return ".";
  std::error_code ignored;
  const fs::path file = fs::canonical(info.dli_fname, ignored);
  return file.empty() ? fs::path(".") : file.parent_path();
}

}  // namespace

void* plugin_symbol(const std::string& file, const char* symbol, const std::string& needs, std::string& why_not) {
  const fs::path path = own_folder() / file;
  if (!fs::exists(path)) {
    why_not = fmt::format("{} is missing: simmim was built where there is no {}", path.string(), needs);
    return nullptr;
  }
  // Global, so that others find what it registers.
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL | RTLD_NODELETE);
  if (library == nullptr) {
    why_not = fmt::format("{} does not load ({})", file, ::dlerror());
    return nullptr;
  }
  void* found = ::dlsym(library, symbol);
  if (found == nullptr) why_not = fmt::format("{} was built without {}", path.string(), needs);
  return found;
}

}  // namespace simmim
