// The program beside the official code and timm: every part of `simmim doctor parity`, within the tolerances of the
// golden files; and that a difference is seen.
#include "parity/parity.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "temporary.h"

namespace simmim {
namespace {

struct Case {
  const ParityPart* part;
  std::string model;
  at::ScalarType dtype;
};

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const ParityPart& part : parity_parts())
    for (const std::string& model : part.models)
      for (const at::ScalarType dtype : kParityTypes) all.push_back({&part, model, dtype});
  return all;
}

std::string name_of(const testing::TestParamInfo<Case>& info) {
  return info.param.part->name + "_" + info.param.model + (info.param.dtype == at::kDouble ? "_f64" : "_f32");
}

class Parity : public testing::TestWithParam<Case> {};

TEST_P(Parity, WithTheOfficialCodeHolds) {
  const auto& [part, model, dtype] = GetParam();
  const std::vector<Comparison> found = part->compare(GoldenFiles(golden("")), model, dtype);
  EXPECT_GE(found.size(), 2u);
  for (const Comparison& comparison : found)
    EXPECT_TRUE(comparison.ok()) << comparison.what << ", " << comparison.where << ": " << comparison.difference
                                 << ", allowed " << comparison.allowed << ", " << comparison.values << " values";
}

INSTANTIATE_TEST_SUITE_P(Official, Parity, testing::ValuesIn(cases()), name_of);

TEST(ParityReport, FailsWhereAnOfficialNumberIsAnother) {
  const Temporary folder;
  fs::copy(golden(""), folder / "golden", fs::copy_options::recursive);
  Json expected = read_json_file(golden("expected.json"));
  Json& loss = expected["curves"]["finetune"]["vit"]["loss"]["f64"][17];
  loss = loss.get<double>() * (1 + 2e-9);
  write_file_atomically(folder / "golden/expected.json", expected.dump());
  const auto found = compare_curve("finetune", GoldenFiles(folder / "golden"), "vit", at::kDouble);
  EXPECT_FALSE(found[0].ok());
  EXPECT_EQ(found[0].where, "vit finetune step 17");
  EXPECT_NEAR(found[0].difference, 2e-9, 1e-10);
  EXPECT_TRUE(found[1].ok());
}

TEST(GoldenFiles, AreAskedForWhereThereAreNone) {
  const Temporary folder;
  EXPECT_NE(error_of(Code::data, [&] { GoldenFiles files(folder / "none"); }).find("name their folder with --golden"),
            std::string::npos);
}

TEST(Comparison, KeepsTheValueThatComesNearestToWhatIsAllowed) {
  Comparison comparison{"loss"};
  EXPECT_FALSE(comparison.ok());  // nothing compared is no agreement
  comparison.relative(1 + 1e-10, 1, 1e-9, "a");
  comparison.relative(1 + 1e-7, 1, 1e-5, "b");
  comparison.absolute(3e-9, 0, 1e-6, 0.5, "c");
  EXPECT_EQ(comparison.where, "a");
  EXPECT_NEAR(comparison.difference, 1e-10, 1e-15);
  EXPECT_EQ(comparison.values, 3);
  EXPECT_TRUE(comparison.ok());
  comparison.relative(1 + 3e-9, 1, 1e-9, "d");
  EXPECT_FALSE(comparison.ok());
  EXPECT_EQ(comparison.where, "d");
  Comparison other{"loss"};
  other.missing("e");
  comparison.add(other);
  EXPECT_EQ(comparison.where, "e");
  comparison.relative(2, 1, 1e-9, "f");  // nothing is worse than what is missing
  EXPECT_EQ(comparison.where, "e");
  EXPECT_FALSE(comparison.ok());
}

}  // namespace
}  // namespace simmim
