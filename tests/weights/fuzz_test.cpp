// The readers against damaged copies of real files: read or refused, never a crash, and never more memory than the file
// can pay for. The damages follow from fixed numbers, so the test is the same each time; SIMMIM_FUZZ=20 makes twenty
// times as many.
#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "temporary.h"
#include "weights/names.h"
#include "weights/pth.h"
#include "weights/safetensors.h"

namespace simmim {
namespace {

int factor() {
  const char* text = std::getenv("SIMMIM_FUZZ");
  return text != nullptr ? std::max(1, std::atoi(text)) : 1;
}

fs::path odd(const std::string& name) { return fs::path(SIMMIM_SOURCE_DIR) / "tests/weights/files" / name; }

// In memory, where AddressSanitizer sees every byte beyond the end.
FileContents read_bytes(const std::string& bytes) {
  return looks_like_pth(bytes)           ? read_pth(bytes, "f")
         : looks_like_safetensors(bytes) ? read_safetensors(bytes, "f")
                                         : throw Error(Code::data, "f");
}

class Damage {
 public:
  explicit Damage(uint64_t seed) : state_(88172645463325252u ^ (seed * 0x9E3779B97F4A7C15u)) {}

  // A copy with a few bytes changed, cut or repeated, mostly in the first 32 KiB and the last, where the structure of
  // all three formats lies; often a field of 1 to 8 bytes becomes a number that lengths and offsets fear.
  std::string of(const std::string& original) {
    std::string bytes = original;
    for (uint64_t changes = 1 + next(4); changes > 0; --changes) {
      const uint64_t reach = std::min<uint64_t>(32 << 10, bytes.size());
      const uint64_t at = next(3) == 0 ? bytes.size() - 1 - next(reach) : next(reach);
      switch (next(8)) {
        case 0:
          bytes[at] = static_cast<char>(next(256));
          break;
        case 1:
        case 2:
          bytes[at] = static_cast<char>(bytes[at] ^ (1 << next(8)));
          break;
        case 3:
        case 4:
        case 5:
          overwrite(bytes, at);
          break;
        case 6:
          bytes.insert(at, bytes.substr(next(reach), next(16)));
          break;
        default:
          bytes.erase(at, std::min<uint64_t>(bytes.size() - 1, next(9)));
      }
    }
    if (next(16) == 0) bytes.resize(1 + next(bytes.size()));
    bytes.shrink_to_fit();
    return bytes;
  }

 private:
  uint64_t next(uint64_t n) {  // xorshift
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_ % n;
  }
  void overwrite(std::string& bytes, uint64_t at) {
    const uint64_t size = bytes.size();
    const uint64_t numbers[] = {
        0,         ~uint64_t{0}, uint64_t{1} << 63, uint64_t{INT64_MAX},     0x7FFFFFFF, 0xFFFFFFFF, size,
        size - at, size + 1,     size * size,       (uint64_t{1} << 62) + 1, 0x10000};
    const uint64_t number = numbers[next(std::size(numbers))];
    std::memcpy(bytes.data() + at, &number, std::min<uint64_t>(uint64_t{1} << next(4), size - at));
  }
  uint64_t state_;
};

struct Outcome {
  int read = 0, refused = 0;
};

Outcome damage(const fs::path& path, int rounds) {
  const std::string original = read_file(path);
  Damage damage(original.size());
  Outcome outcome;
  for (int round = 0; round < rounds * factor(); ++round) {
    const std::string bytes = damage.of(original);
    try {
      FileContents file = read_bytes(bytes);
      uint64_t owned = 0;
      for (const std::vector<char>& copy : file.owned) owned += copy.size();
      EXPECT_LE(owned, 4 * bytes.size() + (64u << 20)) << path << " " << round;
      for (const auto& [name, tensor] : file.tensors) {
        EXPECT_EQ(tensor.bytes.size(), static_cast<uint64_t>(tensor.count()) * size_of(tensor.dtype));
        // Every byte must be there to be read; what is no view of the file is a copy.
        const auto within = [&](const auto& whole) {
          return tensor.bytes.data() >= whole.data() &&
                 tensor.bytes.data() + tensor.bytes.size() <= whole.data() + whole.size();
        };
        EXPECT_TRUE(tensor.bytes.empty() || within(bytes) || std::any_of(file.owned.begin(), file.owned.end(), within))
            << path << " " << round << " " << name;
      }
      use_official_names(file, bytes.size());
      ++outcome.read;
    } catch (const Error& error) {
      EXPECT_EQ(static_cast<int>(error.code()), static_cast<int>(Code::data)) << error.what();
      EXPECT_TRUE(std::string_view(error.what()).starts_with("f")) << error.what();
      ++outcome.refused;
    }
  }
  return outcome;
}

// A safetensors file of a golden checkpoint under the names of `room`.
fs::path renamed(const Temporary& folder, const std::string& file, const Room& room) {
  NamedViews given;
  const TensorFile opened = TensorFile::open(golden(file));
  for (const auto& [name, tensor] : opened.tensors())
    if (tensor.dtype == DType::f32 && !name.ends_with("attn_mask")) given.emplace_back(name, tensor);
  write_safetensors(folder / (file + ".safetensors"), rename_for(given, room).tensors);
  return folder / (file + ".safetensors");
}

TEST(Fuzz, DamagedCheckpointsAreReadOrRefusedButNeverCrash) {
  const Temporary folder;
  const std::pair<fs::path, int> cases[] = {
      {odd("odd.pth"), 2000},
      {odd("odd_legacy.pth"), 2000},
      {odd("bare_protocol4.pth"), 1500},
      {odd("module.pth"), 500},
      {odd("odd.safetensors"), 2000},
      {golden("vit_pretrain.pth"), 200},
      {golden("vit_finetune.pth"), 200},
      {golden("swin_pretrain.pth"), 60},
      {golden("swin_finetune_init.pth"), 100},
      {golden("remap_vit_96.safetensors"), 500},
      {golden("remap_tables.safetensors"), 300},
      {renamed(folder, "vit_finetune.pth", {Naming::hf, "beit."}), 200},
      {renamed(folder, "swin_p2_pretrain.pth", {Naming::hf, "swin.", true, true}), 100},
      {renamed(folder, "swin_finetune.pth", {Naming::timm}), 100}};
  for (const auto& [path, rounds] : cases) {
    const Outcome outcome = damage(path, rounds);
    EXPECT_GT(outcome.refused, rounds / 20) << path;
    EXPECT_GE(outcome.read, rounds / 100) << path;
  }
}

TEST(Fuzz, CheckpointsCutOffAnywhereAreRefused) {
  for (const char* name : {"odd.pth", "odd_legacy.pth", "odd.safetensors"}) {
    const std::string bytes = read_file(odd(name));
    for (size_t size = 0; size < bytes.size(); ++size)
      EXPECT_THROW(read_bytes(bytes.substr(0, size)), Error) << name << " " << size;
  }
}

}  // namespace
}  // namespace simmim
