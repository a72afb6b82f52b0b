// Files: whole or absent. Nothing of ours is ever half-written under its final name.
#pragma once
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace simmim {

namespace fs = std::filesystem;

std::string read_file(const fs::path& path);  // Code::data with the path and the system's reason

// Writes a temporary file beside the target, syncs, renames, syncs the folder. A target that exists and is not a
// regular file (/dev/null, a pipe) and "-" (standard output) are written in place. A full disk, a read-only folder:
// Code::data naming the path and the bytes needed; the old target stays as it was.
void write_file_atomically(const fs::path& path, std::string_view bytes);

// The same for content that is produced piecewise: `write` is given a function that appends bytes.
using Append = std::function<void(const void* bytes, size_t count)>;
void write_file_atomically(const fs::path& path, size_t bytes_expected,
                           const std::function<void(const Append&)>& write);

void make_folder(const fs::path& path);  // with parents; Code::data if it cannot be made

// Read-only memory map of a whole file (empty files map to empty bytes).
class MappedFile {
 public:
  explicit MappedFile(const fs::path& path);  // Code::data if it cannot be read
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  std::string_view bytes() const { return {static_cast<const char*>(data_), size_}; }

 private:
  const void* data_ = nullptr;
  size_t size_ = 0;
};

// An advisory lock on a file: held until destroyed or the process dies, kill -9 included.
class FileLock {
 public:
  static std::optional<FileLock> try_lock(const fs::path& path);  // nullopt: someone else holds it
  static FileLock wait_lock(const fs::path& path);
  ~FileLock();
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

// True if somebody holds the lock; creates nothing and takes nothing.
bool is_locked(const fs::path& path);

fs::path home_folder();
fs::path cache_folder();  // ${XDG_CACHE_HOME:-~/.cache}/simmim, made if absent

}  // namespace simmim
