#include "weights/npy.h"

#include <gtest/gtest.h>

#include <cstring>

#include "core/error.h"
#include "temporary.h"

namespace simmim {
namespace {

// A .npy file of the given version and header, as NumPy pads it, then `data`.
std::string npy(char version, std::string header, const std::string& data) {
  const size_t start = version == 1 ? 10 : 12;
  header.append(63 - (start + header.size()) % 64, ' ');
  header += '\n';
  const auto length = static_cast<uint32_t>(header.size());
  std::string bytes = std::string("\x93NUMPY") + version + '\0';
  bytes.append(reinterpret_cast<const char*>(&length), start - 8);
  return bytes + header + data;
}

template <class T>
std::string bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

class Npy : public testing::Test {
 protected:
  NpyArray read(const std::string& bytes) {
    write_file_atomically(folder_ / "a.npy", bytes);
    return read_npy(folder_ / "a.npy");
  }
  std::string refusal(const std::string& bytes) {
    try {
      read(bytes);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::data);
      return error.what();
    }
    return "accepted";
  }
  Temporary folder_;
};

TEST_F(Npy, IsReadInBothVersionsAndNumberTypes) {
  const std::vector<double> values = {0.5, -1, 2, 3, 4, 5};
  const NpyArray one = read(npy(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }", bytes_of(values)));
  EXPECT_EQ(one.shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(one.values, values);
  const NpyArray two = read(npy(2, "{'shape': (6,), 'fortran_order': False, 'descr': '<f4'}",
                                bytes_of(std::vector<float>(values.begin(), values.end()))));
  EXPECT_EQ(two.shape, (std::vector<int64_t>{6}));
  EXPECT_EQ(two.values, values);
}

TEST_F(Npy, IsWrittenAsItIsRead) {
  write_npy(folder_ / "b.npy", {2, 3}, {1, 2, 3, 4, 5, 6.25});
  EXPECT_EQ(read_npy(folder_ / "b.npy").values, (std::vector<double>{1, 2, 3, 4, 5, 6.25}));
  const std::string bytes = read_file(folder_ / "b.npy");
  EXPECT_EQ(bytes.size(), 128 + 24u);  // the data begin at a multiple of 64
  EXPECT_NE(bytes.find("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3,), }"), std::string::npos);
}

TEST_F(Npy, OfAnotherKindIsRefusedInOneSentence) {
  const std::string data = bytes_of(std::vector<float>(6));
  const auto with = [&](const std::string& type, const std::string& order, const std::string& shape) {
    return refusal(npy(1, "{'descr': " + type + ", 'fortran_order': " + order + ", 'shape': " + shape + ", }", data));
  };
  EXPECT_EQ(with("'<f4'", "False", "(2, 3)"), "accepted");
  EXPECT_NE(with("'>f4'", "False", "(2, 3)").find("numbers of type '>f4'; allowed: "), std::string::npos);
  EXPECT_NE(with("'|O'", "False", "(2, 3)").find("numbers of type '|O'"), std::string::npos);
  EXPECT_NE(with("'<f4'", "True", "(2, 3)").find("columns"), std::string::npos);
  EXPECT_NE(with("'<f4'", "False", "(2, 4)").find("24 bytes of 32"), std::string::npos);
  EXPECT_NE(with("'<f4'", "False", "(2, -3)").find("a shape of"), std::string::npos);
  EXPECT_NE(with("'<f4'", "False", "(9999999999, 9999999999)").find("a shape of"), std::string::npos);
  EXPECT_NE(with("'<f4'", "False", "7").find("without a shape"), std::string::npos);
  EXPECT_NE(refusal(npy(3, "{}", "")).find("version 3"), std::string::npos);
  EXPECT_NE(refusal("PK\3\4").find("no .npy file"), std::string::npos);
}

TEST_F(Npy, ThatIsCutOffAnywhereIsRefused) {
  const std::string whole =
      npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", bytes_of(std::vector<float>(6)));
  for (size_t size = 0; size < whole.size(); ++size) EXPECT_NE(refusal(whole.substr(0, size)), "accepted") << size;
}

}  // namespace
}  // namespace simmim
