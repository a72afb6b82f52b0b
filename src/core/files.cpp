#include "core/files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "core/error.h"

namespace simmim {
namespace {

[[noreturn]] void fail_write(const fs::path& path, size_t bytes, int reason) {
  const char* advice = reason == ENOSPC || reason == EDQUOT || reason == EFBIG
                           ? "free some space and run the same command again"
                           : "choose a folder that can be written to";
  fail(Code::data, "{}: cannot write {} bytes: {}; {}", path.string(), bytes, std::strerror(reason), advice);
}

void write_all(int descriptor, const void* bytes, size_t count, const fs::path& path, size_t bytes_expected) {
  const char* at = static_cast<const char*>(bytes);
  while (count > 0) {
    const ssize_t written = ::write(descriptor, at, count);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail_write(path, bytes_expected, written < 0 ? errno : EIO);
    at += written;
    count -= static_cast<size_t>(written);
  }
}

void sync_folder(const fs::path& folder) {
  const int descriptor = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

}  // namespace

std::string read_file(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  std::string bytes;
  ssize_t count = descriptor < 0 ? -1 : 1;
  for (char block[1 << 16]; count > 0 || (count < 0 && errno == EINTR && descriptor >= 0);) {
    count = ::read(descriptor, block, sizeof block);
    if (count > 0) bytes.append(block, static_cast<size_t>(count));
  }
  const int reason = errno;
  if (descriptor >= 0) ::close(descriptor);
  if (count < 0) fail(Code::data, "{}: cannot read this file: {}", path.string(), std::strerror(reason));
  return bytes;
}

void write_file_atomically(const fs::path& path, std::string_view bytes) {
  write_file_atomically(path, bytes.size(), [&](const Append& append) { append(bytes.data(), bytes.size()); });
}

void write_file_atomically(const fs::path& path, size_t bytes_expected,
                           const std::function<void(const Append&)>& write) {
  std::error_code ignored;
  const bool standard_output = path == "-";
  const bool in_place = standard_output || (fs::exists(path, ignored) && !fs::is_regular_file(path, ignored));
  if (in_place) {
    const int descriptor = standard_output ? ::dup(STDOUT_FILENO) : ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor < 0) fail_write(path, bytes_expected, errno);
    try {
      write([&](const void* bytes, size_t count) { write_all(descriptor, bytes, count, path, bytes_expected); });
    } catch (...) {
      ::close(descriptor);
      throw;
    }
    ::close(descriptor);
    return;
  }
  const fs::path temporary = fs::path(path).concat(fmt::format(".tmp{}", ::getpid()));
  const int descriptor = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor < 0) fail_write(path, bytes_expected, errno);
  bool open = true;
  try {
    write([&](const void* bytes, size_t count) { write_all(descriptor, bytes, count, path, bytes_expected); });
    if (::fsync(descriptor) != 0) fail_write(path, bytes_expected, errno);
    open = false;
    if (::close(descriptor) != 0) fail_write(path, bytes_expected, errno);
    if (::rename(temporary.c_str(), path.c_str()) != 0) fail_write(path, bytes_expected, errno);
  } catch (...) {
    if (open) ::close(descriptor);
    ::unlink(temporary.c_str());
    throw;
  }
  sync_folder(path.parent_path());
}

void make_folder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  std::error_code ignored;
  if (error || !fs::is_directory(path, ignored))
    fail(Code::data, "{}: cannot make this folder: {}; choose another place", path.string(),
         error ? error.message() : "a file of that name exists");
}

MappedFile::MappedFile(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status {};
  if (descriptor < 0 || ::fstat(descriptor, &status) != 0 || S_ISDIR(status.st_mode)) {
    const int reason = descriptor < 0 ? errno : EISDIR;
    if (descriptor >= 0) ::close(descriptor);
    fail(Code::data, "{}: cannot read this file: {}", path.string(), std::strerror(reason));
  }
  size_ = static_cast<size_t>(status.st_size);
  void* data = size_ > 0 ? ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, descriptor, 0) : nullptr;
  const int reason = errno;
  ::close(descriptor);
  if (data == MAP_FAILED) fail(Code::data, "{}: cannot map this file: {}", path.string(), std::strerror(reason));
  data_ = data;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<void*>(data_), size_);
}
MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

// Open file description locks, not flock: they can be asked for without being taken, so that looking at a lock never
// keeps anybody from taking it.
namespace {
struct flock whole_file() {
  struct flock lock {};  // l_pid must be 0
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

// Takes the lock; false if somebody else holds it and the command (F_OFD_SETLK) does not wait.
bool take_lock(int descriptor, int command, const fs::path& path) {
  struct flock lock = whole_file();
  while (::fcntl(descriptor, command, &lock) != 0) {
    if (errno == EAGAIN || errno == EACCES) return false;
    if (errno != EINTR) {
      const int reason = errno;
      ::close(descriptor);
      fail(Code::data, "{}: cannot lock this file: {}; choose a folder whose file system has locks", path.string(),
           std::strerror(reason));
    }
  }
  return true;
}

int open_lock(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor < 0) fail(Code::data, "{}: cannot open this lock: {}", path.string(), std::strerror(errno));
  return descriptor;
}
}  // namespace

std::optional<FileLock> FileLock::try_lock(const fs::path& path) {
  const int descriptor = open_lock(path);
  if (take_lock(descriptor, F_OFD_SETLK, path)) return FileLock(descriptor);
  ::close(descriptor);
  return std::nullopt;
}

FileLock FileLock::wait_lock(const fs::path& path) {
  const int descriptor = open_lock(path);
  take_lock(descriptor, F_OFD_SETLKW, path);
  return FileLock(descriptor);
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}
FileLock::FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

bool is_locked(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return false;
  struct flock lock = whole_file();
  const bool locked = ::fcntl(descriptor, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
  ::close(descriptor);
  return locked;
}

fs::path home_folder() {
  const char* home = std::getenv("HOME");
  return home != nullptr && *home != '\0' ? fs::path(home) : fs::path("/tmp");
}

fs::path cache_folder() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const fs::path folder = (cache != nullptr && *cache != '\0' ? fs::path(cache) : home_folder() / ".cache") / "simmim";
  make_folder(folder);
  return folder;
}

}  // namespace simmim
