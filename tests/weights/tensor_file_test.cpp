#include "weights/tensor_file.h"

#include <algorithm>
#include <cstring>

#include "temporary.h"
#include "weights/half.h"

namespace simmim {
namespace {

template <class T>
TensorView view(DType dtype, std::vector<int64_t> shape, const std::vector<T>& values) {
  return {dtype, std::move(shape), {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)}};
}

// A safetensors file from its header and the number of data bytes.
std::string file_of(std::string_view header, size_t data_bytes) {
  const uint64_t size = header.size();
  std::string bytes(reinterpret_cast<const char*>(&size), sizeof size);
  return bytes.append(header).append(data_bytes, '\0');
}

std::string refusal(const std::string& bytes) {
  const Temporary folder;
  const fs::path path = folder.write("w.safetensors", bytes);
  const std::string message = error_of(Code::data, [&] { TensorFile::open(path); });
  EXPECT_EQ(message.find(path.string() + ": "), 0u) << message;
  return message;
}

TEST(Safetensors, ComeBackAsTheyWereWritten) {
  const std::vector<float> plain = {1.5f, -2, 0.1f};
  const std::vector<double> one = {0.1};
  const std::vector<int64_t> counters = {int64_t{1} << 40, -1};
  const std::vector<uint8_t> bytes = {0, 255, 7};
  const std::vector<float> none;
  const NamedViews tensors = {{"b", view(DType::u8, {3}, bytes)},
                              {"a \"quoted\" é", view(DType::f32, {3, 1}, plain)},
                              {"scalar", view(DType::f64, {}, one)},
                              {"empty", view(DType::f32, {0, 5}, none)},
                              {"n", view(DType::i64, {2}, counters)}};
  const Metadata metadata = {{"step", "12"}, {"config", R"({"a":"b"})"}};
  const Temporary folder;
  write_safetensors(folder / "w.safetensors", tensors, metadata);
  const TensorFile file = TensorFile::open(folder / "w.safetensors");
  EXPECT_EQ(file.format(), "safetensors");
  EXPECT_EQ(file.metadata(), metadata);
  ASSERT_EQ(file.tensors().size(), tensors.size());
  for (size_t i = 0; i < tensors.size(); ++i) {
    const auto& [name, tensor] = file.tensors()[i];
    EXPECT_EQ(name, tensors[i].first);
    EXPECT_EQ(tensor.dtype, tensors[i].second.dtype);
    EXPECT_EQ(tensor.shape, tensors[i].second.shape);
    EXPECT_EQ(tensor.bytes, tensors[i].second.bytes);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.bytes.data()) % size_of(tensor.dtype), 0u) << name;
    EXPECT_EQ(file.find(name), &tensor);
  }
  EXPECT_EQ(file.find("nothing"), nullptr);
}

TEST(Safetensors, AreTheSameBytesForTheSameTensorsAndBeginTheirDataAtAMultipleOf64) {
  const std::vector<float> values = {1, 2};
  const Temporary folder;
  for (const char* name : {"a", "b"})
    write_safetensors(folder / name, {{"w", view(DType::f32, {2}, values)}}, {{"k", "v"}});
  const std::string bytes = read_file(folder / "a");
  EXPECT_EQ(bytes, read_file(folder / "b"));
  uint64_t header = 0;
  std::memcpy(&header, bytes.data(), 8);
  EXPECT_EQ((8 + header) % 64, 0u);
  EXPECT_EQ(bytes.size(), 8 + header + 8);
}

TEST(Safetensors, MayHoldNothing) {
  const Temporary folder;
  write_safetensors(folder / "w", {});
  const TensorFile file = TensorFile::open(folder / "w");
  EXPECT_TRUE(file.tensors().empty());
}

TEST(Safetensors, KeepTheirTensorsWhenTheFileObjectMoves) {
  const Temporary folder;
  const std::vector<float> values = {1, 2};
  write_safetensors(folder / "w", {{"w", view(DType::f32, {2}, values)}});
  TensorFile first = TensorFile::open(folder / "w");
  const TensorFile second = std::move(first);
  EXPECT_EQ(to_doubles(*second.find("w")), (std::vector<double>{1, 2}));
}

TEST(Safetensors, WriterRefusesANameThatStandsTwiceAndBytesThatDoNotFit) {
  const Temporary folder;
  const std::vector<float> values = {1, 2};
  EXPECT_THROW(
      write_safetensors(folder / "w", {{"w", view(DType::f32, {2}, values)}, {"w", view(DType::f32, {2}, values)}}),
      std::logic_error);
  EXPECT_THROW(write_safetensors(folder / "w", {{"w", view(DType::f32, {3}, values)}}), std::logic_error);
  EXPECT_FALSE(fs::exists(folder / "w"));
}

TEST(Safetensors, KeepThePreviousCheckpointWhenTheDiskIsFull) {
  const Temporary folder;
  const fs::path path = folder / "last.safetensors";
  const std::vector<float> old = {1, 2}, large(100000);
  write_safetensors(path, {{"w", view(DType::f32, {2}, old)}});
  EXPECT_TRUE(in_child([&] {
    limit_files_to(64 << 10);
    const std::string message = error_of(Code::data, [&] {
      write_safetensors(path, {{"w", view(DType::f32, {100000}, large)}});
    });
    return message.find(path.string() + ": cannot write 400128 bytes: ") == 0 &&
           message.find("free some space") != std::string::npos;
  }));
  const TensorFile file = TensorFile::open(path);
  EXPECT_EQ(to_doubles(*file.find("w")), (std::vector<double>{1, 2}));
}

TEST(Safetensors, OfTheReferenceLibraryAreReadAligned) {
  const TensorFile file = TensorFile::open(fs::path(SIMMIM_SOURCE_DIR) / "tests/weights/files/odd.safetensors");
  EXPECT_EQ(file.metadata(), (Metadata{{"format", "pt"}}));
  EXPECT_EQ(file.tensors().size(), 15u);
  for (const auto& [name, tensor] : file.tensors())
    EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.bytes.data()) % size_of(tensor.dtype), 0u) << name;
  EXPECT_EQ(to_doubles(*file.find("slice")), (std::vector<double>{8, 9, 10, 14, 15, 16}));
  EXPECT_EQ(to_doubles(*file.find("double")), (std::vector<double>{0.1}));
  EXPECT_EQ(to_doubles(*file.find("half")), (std::vector<double>{1, -0.5, 65504, 0x1p-24}));
}

TEST(Safetensors, OfMisalignedFilesAreCopiedToAnAlignedPlace) {
  // One byte, then a float: legal, and the float lies at an odd address.
  std::string bytes = file_of(
      R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}})",
      5);
  const float value = 2.5f;
  std::memcpy(bytes.data() + bytes.size() - 4, &value, 4);
  const Temporary folder;
  const TensorFile file = TensorFile::open(folder.write("w", bytes));
  EXPECT_EQ(reinterpret_cast<uintptr_t>(file.find("b")->bytes.data()) % 4, 0u);
  EXPECT_EQ(to_doubles(*file.find("b")), std::vector<double>{2.5});
}

struct Refused {
  const char *about, *header;
  size_t data;
  const char* expected;
};

TEST(Safetensors, RefuseWhatTheFormatForbidsInOneSentence) {
  const Refused cases[] = {
      {"duplicate name",
       R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
       8, "'a' stands twice"},
      {"duplicate metadata", R"({"__metadata__":{"k":"1","k":"2"}})", 0, "the metadata 'k' stands twice"},
      {"duplicate key", R"({"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 4,
       "'a' has its dtype twice"},
      {"duplicate empty key", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[],"data_offsets":[0,4]}})", 4,
       "'a' has its data_offsets twice"},
      {"unknown key", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":[1]}})", 4,
       "'a' has an unknown key 'x'"},
      {"unknown type", R"({"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}})", 1,
       "the type 'F8_E4M3', which this program does not read"},
      {"no shape", R"({"a":{"dtype":"F32","data_offsets":[0,4]}})", 4,
       "'a' lacks its dtype, shape or the two data_offsets"},
      {"three offsets", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}})", 4,
       "'a' lacks its dtype, shape or the two data_offsets"},
      {"hole", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8,
       "'a' begins at byte 4, beyond the end of the tensor before it (0)"},
      {"overlap",
       R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
       8, "'b' begins at byte 4, before the end of the tensor before it (8)"},
      {"reversed", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", 4,
       "'a' of shape [1] and type F32 cannot lie in bytes 4 to 0"},
      {"too few bytes", R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4,
       "'a' of shape [2] and type F32 cannot lie in bytes 0 to 4"},
      {"overflow", R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}})", 0,
       "cannot lie in bytes 0 to 0"},
      {"number beyond 64 bits", R"({"a":{"dtype":"F32","shape":[18446744073709551616],"data_offsets":[0,0]}})", 0,
       "a fraction where it does not belong"},
      {"number beyond 63 bits", R"({"a":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,0]}})", 0,
       "a number where it does not belong"},
      {"negative", R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4,
       "a negative number where it does not belong"},
      {"data left over", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 9,
       "5 bytes follow the last tensor"},
      {"data missing", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 3,
       "cut off: its tensors have 4 bytes and only 3 are there"},
      {"nesting", R"({"a":{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}})", 4, "a list where it does not belong"},
      {"metadata of numbers", R"({"__metadata__":{"k":1}})", 0, "a number where it does not belong"},
      {"tensor is a number", R"({"a":1})", 0, "a number where it does not belong"},
      {"syntax", R"({"a":)", 0, "no valid JSON at byte"},
      {"not UTF-8", "{\"\xff\":1}", 0, "no valid JSON at byte"},
      {"two values", R"({}{})", 0, "no valid JSON at byte"},
  };
  for (const Refused& refused : cases) {
    const std::string message = refusal(file_of(refused.header, refused.data));
    EXPECT_NE(message.find(refused.expected), std::string::npos) << refused.about << ": " << message;
  }
}

TEST(Safetensors, WithAHeaderBeyondTheLimitOrTheFileAreRefused) {
  std::string huge = file_of("{}", 0);
  huge[4] = 1;  // 2^32 + 2 bytes
  EXPECT_NE(refusal(huge).find("it claims 4294967298 bytes; allowed: at most 100000000"), std::string::npos);
  std::string cut = file_of("{}", 0);
  cut[0] = 60;
  EXPECT_NE(refusal(cut).find("its header has 60 bytes and only 2 are there"), std::string::npos);
}

TEST(Checkpoint, OfAnotherKindSaysWhatItMostLikelyIs) {
  EXPECT_NE(refusal("").find("it is empty"), std::string::npos);
  EXPECT_NE(refusal("\n <!DOCTYPE html><html>").find("it is a web page, so the download went wrong"),
            std::string::npos);
  EXPECT_NE(refusal("version https://git-lfs.github.com/spec/v1\n").find("Git LFS pointer"), std::string::npos);
  EXPECT_NE(refusal("\x89PNG\r\n\x1a\n1234567890").find("neither safetensors nor a PyTorch .pth file"),
            std::string::npos);
  const Temporary folder;
  EXPECT_NE(error_of(Code::data, [&] { TensorFile::open(folder / "none.pth"); })
                .find("none.pth: cannot read this file: No such file"),
            std::string::npos);
}

TEST(Halves, OfAll65536PatternsSurviveTheWayThroughFloat) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    if (std::isnan(from_f16(half)))
      EXPECT_TRUE(std::isnan(from_f16(to_f16(from_f16(half)))));
    else
      EXPECT_EQ(to_f16(from_f16(half)), half) << bits;
    if (std::isnan(from_bf16(half)))
      EXPECT_TRUE(std::isnan(from_bf16(to_bf16(from_bf16(half)))));
    else
      EXPECT_EQ(to_bf16(from_bf16(half)), half) << bits;
  }
}

// g++ has the type itself: an independent conversion.
TEST(Halves, RoundToTheNearestEvenAsTheCompilerDoes) {
  uint32_t bits = 12345;
  for (int i = 0; i < 2000000; ++i) {
    bits = bits * 1664525u + 1013904223u;
    const auto value = std::bit_cast<float>(bits);
    if (std::isnan(value)) continue;
    ASSERT_EQ(to_f16(value), std::bit_cast<uint16_t>(static_cast<_Float16>(value))) << value;
    const float back = from_bf16(to_bf16(value));  // above 3.39e38 it may be infinity
    ASSERT_TRUE(std::abs(back - value) <= std::abs(value) * 0x1p-8f + 0x1p-134f || std::abs(value) > 3.39e38f) << value;
  }
  EXPECT_EQ(to_f16(65519.996f), 0x7BFF);
  EXPECT_EQ(to_f16(65520.0f), 0x7C00);
  EXPECT_EQ(to_bf16(1.00390625f), 0x3F80);  // halfway between 1 and 1.0078125: the even one
  EXPECT_EQ(to_bf16(1.01171875f), 0x3F82);
}

}  // namespace
}  // namespace simmim
