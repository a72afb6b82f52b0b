// Fingerprints (xxHash): run ids, file contents, data sets. Not cryptographic.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace simmim {

uint64_t hash64(std::string_view bytes, uint64_t seed = 0);

// 32 hex digits of the 128-bit hash.
std::string hash_hex(std::string_view bytes);
std::string hash_file_hex(const std::filesystem::path& path);  // Code::data if it cannot be read

}  // namespace simmim
