#include "runs/journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "core/error.h"

namespace simmim {
namespace {

[[noreturn]] void fail_journal(const fs::path& path, const char* what, size_t bytes) {
  const int reason = errno;
  fail(Code::data,
       "{}: cannot {} ({} bytes): {}; free some space or choose another place, then run the same command again",
       path.string(), what, bytes, std::strerror(reason));
}

}  // namespace

Journal::Journal(const fs::path& path, std::optional<uint64_t> keep_bytes) : path_(path) {
  descriptor_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail_journal(path, "open this journal", 0);
  struct stat status {};
  ::fstat(descriptor_, &status);
  const uint64_t size = static_cast<uint64_t>(status.st_size);
  bytes_ = keep_bytes.value_or(0);
  if (!keep_bytes && size > 0) {  // up to and with the last end of line
    const auto end = MappedFile(path).bytes().rfind('\n');
    bytes_ = end == std::string_view::npos ? 0 : end + 1;
  }
  if (bytes_ > size) {
    ::close(std::exchange(descriptor_, -1));
    fail(Code::data, "{}: has {} bytes but the checkpoint counts on {}; start over with --fresh", path.string(), size,
         bytes_);
  }
  if (bytes_ < size && ::ftruncate(descriptor_, static_cast<off_t>(bytes_)) != 0)
    fail_journal(path, "cut this journal", bytes_);
}

Journal::~Journal() {
  if (descriptor_ >= 0) ::close(descriptor_);
}
Journal::Journal(Journal&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)), bytes_(other.bytes_) {}
Journal& Journal::operator=(Journal&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

void Journal::append(const Json& line) {
  const std::string text = line.dump() + "\n";  // dump() writes NaN and infinities as null
  ssize_t written;
  do {
    written = ::write(descriptor_, text.data(), text.size());
  } while (written < 0 && errno == EINTR);
  if (written != static_cast<ssize_t>(text.size())) {
    if (written >= 0) errno = ENOSPC;
    const int reason = errno;
    const bool taken_back = ::ftruncate(descriptor_, static_cast<off_t>(bytes_)) == 0;
    errno = taken_back ? reason : EIO;
    fail_journal(path_, "append to this journal", text.size());
  }
  bytes_ += text.size();
}

void Journal::sync() {
  if (::fdatasync(descriptor_) != 0) fail_journal(path_, "sync this journal", bytes_);
}

uint64_t read_journal(const fs::path& path, uint64_t from, const std::function<void(const Json& line)>& line) {
  std::error_code missing;
  if (!fs::is_regular_file(path, missing)) return from;
  const MappedFile file(path);
  const std::string_view bytes = file.bytes();
  uint64_t at = from;
  while (at < bytes.size()) {
    const auto end = bytes.find('\n', at);
    if (end == std::string_view::npos) break;
    const Json parsed = Json::parse(bytes.substr(at, end - at), nullptr, /*allow_exceptions=*/false);
    if (parsed.is_object()) line(parsed);
    at = end + 1;
  }
  return at;
}

}  // namespace simmim
