#include "train/shared_file.h"

#include "core/hash.h"

namespace simmim {
namespace {

constexpr size_t kDigits = 12;

}  // namespace

fs::path shared_file(const fs::path& out, const std::string& what, const Json& determined, const std::string& suffix,
                     const std::function<void(const fs::path&)>& make) {
  const std::string name = what + "-" + hash_hex(canonical(determined)).substr(0, kDigits);
  const fs::path folder = out / "shared", file = folder / (name + suffix);
  if (fs::exists(file)) return file;
  make_folder(folder);
  const FileLock lock = FileLock::wait_lock(folder / (name + ".lock"));
  if (!fs::exists(file)) make(file);
  return file;
}

}  // namespace simmim
