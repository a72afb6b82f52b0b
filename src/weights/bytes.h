// Reading little-endian numbers out of bytes that may end anywhere. Internal to weights/.
#pragma once
#include <cstdint>
#include <cstring>
#include <string_view>

namespace simmim {

// A position in bytes; every read is checked and calls `fail_short` (which throws) where the bytes end.
template <class FailShort>
class ByteReader {
 public:
  ByteReader(std::string_view bytes, FailShort fail_short) : bytes_(bytes), fail_short_(fail_short) {}

  template <class T>
  T number() {
    T value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::string_view take(uint64_t count) {
    if (count > bytes_.size() - at_) fail_short_();
    at_ += count;
    return bytes_.substr(at_ - count, count);
  }
  std::string_view line() {  // up to the next '\n', which is skipped
    const size_t end = bytes_.find('\n', at_);
    if (end == std::string_view::npos) fail_short_();
    const std::string_view text = bytes_.substr(at_, end - at_);
    at_ = end + 1;
    return text;
  }
  void skip(uint64_t count) { take(count); }
  size_t position() const { return at_; }

 private:
  std::string_view bytes_;
  size_t at_ = 0;
  FailShort fail_short_;
};

}  // namespace simmim
