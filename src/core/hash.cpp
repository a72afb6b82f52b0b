#include "core/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "core/error.h"
#include "core/files.h"

namespace simmim {

uint64_t hash64(std::string_view bytes, uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

std::string hash_hex(std::string_view bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

std::string hash_file_hex(const std::filesystem::path& path) { return hash_hex(MappedFile(path).bytes()); }

}  // namespace simmim
