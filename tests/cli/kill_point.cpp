// Preloaded into the program (LD_PRELOAD): counts every write, sync, rename and cut of a file under KILL_POINT_FOLDER,
// of all processes of one role together in the file KILL_POINT_COUNTER, and kills the process that comes to number
// KILL_POINT_AT: before the call, or, for every second number, after the first half of a write. KILL_POINT_ROLE:
// "leader" (of the process group: a sweep's scheduler) or "others" (its workers).
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace {

template <class Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

uint64_t* counter() {
  static uint64_t* const mapped = []() -> uint64_t* {
    const char* path = std::getenv("KILL_POINT_COUNTER");
    const int file = path == nullptr ? -1 : open(path, O_RDWR | O_CLOEXEC);
    if (file < 0) return nullptr;
    void* const memory = mmap(nullptr, sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    return memory == MAP_FAILED ? nullptr : static_cast<uint64_t*>(memory);
  }();
  return mapped;
}

bool is_watched(const char* path) {
  const char *folder = std::getenv("KILL_POINT_FOLDER"), *role = std::getenv("KILL_POINT_ROLE");
  if (role != nullptr && (std::strcmp(role, "leader") == 0) != (getpid() == getpgrp())) return false;
  return folder != nullptr && counter() != nullptr && std::strncmp(path, folder, std::strlen(folder)) == 0;
}

bool is_watched(int file) {
  char link[64] = "/proc/self/fd/", path[4096];
  char digits[16];
  int length = 0;
  for (int rest = file; rest > 0 || length == 0; rest /= 10) digits[length++] = static_cast<char>('0' + rest % 10);
  for (size_t at = std::strlen(link); length > 0;) link[at++] = digits[--length];
  const ssize_t count = readlink(link, path, sizeof path - 1);
  if (count <= 0) return false;
  path[count] = '\0';
  return is_watched(path);
}

void die() {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

// True if this call is the one to die in.
bool is_point() {
  const char* at = std::getenv("KILL_POINT_AT");
  return __atomic_add_fetch(counter(), 1, __ATOMIC_SEQ_CST) == (at == nullptr ? 0 : std::strtoull(at, nullptr, 10));
}

bool is_half() { return *counter() % 2 == 0; }

}  // namespace

extern "C" {

ssize_t write(int file, const void* bytes, size_t count) {
  static auto* const next = real<ssize_t(int, const void*, size_t)>("write");
  if (is_watched(file) && is_point()) {
    if (is_half()) next(file, bytes, count / 2);
    die();
  }
  return next(file, bytes, count);
}

ssize_t pwrite64(int file, const void* bytes, size_t count, off64_t at) {
  static auto* const next = real<ssize_t(int, const void*, size_t, off64_t)>("pwrite64");
  if (is_watched(file) && is_point()) {
    if (is_half()) next(file, bytes, count / 2, at);
    die();
  }
  return next(file, bytes, count, at);
}

ssize_t pwrite(int file, const void* bytes, size_t count, off_t at) { return pwrite64(file, bytes, count, at); }

int fsync(int file) {
  static auto* const next = real<int(int)>("fsync");
  if (is_watched(file) && is_point()) die();
  return next(file);
}

int fdatasync(int file) {
  static auto* const next = real<int(int)>("fdatasync");
  if (is_watched(file) && is_point()) die();
  return next(file);
}

int ftruncate64(int file, off64_t size) noexcept {
  static auto* const next = real<int(int, off64_t)>("ftruncate64");
  if (is_watched(file) && is_point()) die();
  return next(file, size);
}

int ftruncate(int file, off_t size) noexcept { return ftruncate64(file, size); }

int rename(const char* from, const char* to) noexcept {
  static auto* const next = real<int(const char*, const char*)>("rename");
  if (is_watched(to) && is_point()) die();
  return next(from, to);
}

int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) noexcept {
  static auto* const next = real<int(int, const char*, int, const char*, unsigned)>("renameat2");
  if (is_watched(to) && is_point()) die();
  return next(from_folder, from, to_folder, to, flags);
}
}
