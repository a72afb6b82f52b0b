#include "core/json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/error.h"
#include "temporary.h"

namespace simmim {
namespace {

TEST(ParseJson, KeepsTheOrderOfKeys) { EXPECT_EQ(parse_json(R"({"b":1,"a":2})", "f").dump(), R"({"b":1,"a":2})"); }

TEST(ParseJson, SaysWhereTheSyntaxIsWrong) {
  EXPECT_EQ(
      error_of(Code::usage, [] { parse_json("{\n  \"a\": 1\n  \"b\": 2}", "r.json"); }).find("r.json: line 3, column"),
      0u);
  EXPECT_NE(error_of(Code::usage, [] { parse_json("", "r.json"); }).find("r.json: line 1"), std::string::npos);
  EXPECT_NE(error_of(Code::usage, [] { parse_json("{} // comment", "r.json"); }), "");
  EXPECT_NE(error_of(Code::usage, [] { parse_json("{\"a\": \"\xff\"}", "r.json"); }), "");
  EXPECT_NE(error_of(Code::usage, [] { parse_json("1e999", "r.json"); }), "");
}

TEST(ParseJson, RefusesAKeyThatStandsTwiceInOneObjectOnly) {
  EXPECT_EQ(error_of(Code::usage, [] { parse_json(R"({"a":{"x":1},"b":[{"x":1},{"x":1}],"a":2})", "r.json"); }),
            "r.json: the key 'a' stands twice in one object; keep one");
  EXPECT_NO_THROW(parse_json(R"({"a":{"x":1},"b":[{"x":1},{"x":1}],"x":2})", "r.json"));
}

TEST(ReadJsonFile, NamesTheFileThatIsMissingOrAFolder) {
  const Temporary folder;
  EXPECT_EQ(error_of(Code::usage, [&] { read_json_file(folder / "r.json"); }).find((folder / "r.json").string()), 0u);
  EXPECT_NE(error_of(Code::usage, [&] { read_json_file(folder / "."); }), "");
  EXPECT_EQ(read_json_file(folder.write("r.json", "[1]")), Json::array({1}));
}

TEST(Canonical, SpellsEqualValuesAlike) {
  const auto spelt = [](const char* text) { return canonical(parse_json(text, "")); };
  EXPECT_EQ(spelt(R"({"b":1.0,"a":[1,2.50],"c":null,"d":"x\u00e9"})"),
            "{\"a\":[1,2.5],\"b\":1,\"c\":null,\"d\":\"xé\"}");
  EXPECT_EQ(spelt("-0.0"), spelt("0"));
  EXPECT_EQ(spelt("1e15"), spelt("1000000000000000"));
  EXPECT_EQ(spelt("9007199254740992.0"), spelt("9007199254740992"));
  EXPECT_EQ(spelt("0.1"), "0.1");
  EXPECT_NE(spelt("0.1"), spelt("0.10000000000000002"));
  EXPECT_NE(spelt("1"), spelt("true"));
  EXPECT_NE(spelt("1"), spelt("\"1\""));
}

TEST(NumberText, ReadsBackAsTheSameNumber) {
  for (const double value : {0.1, 1.0 / 3, 1e-300, 1e300, 123456789.125, 0x1p53, -2.5e-7, 5e-324})
    EXPECT_EQ(std::strtod(number_text(value).c_str(), nullptr), value) << number_text(value);
  EXPECT_EQ(number_text(100), "100");
  EXPECT_EQ(number_text(0.00015), "0.00015");
}

TEST(Paths, AreFoundAndSet) {
  Json root = {{"mask", {{"patch", 8}}}};
  EXPECT_EQ(*find_path(root, "mask.patch"), 8);
  EXPECT_EQ(find_path(root, "mask.ratio"), nullptr);
  EXPECT_EQ(find_path(root, "mask.patch.x"), nullptr);
  set_path(root, "mask.ratio", 0.5);
  set_path(root, "finetune.data.root", "/x");
  EXPECT_EQ(root.dump(), R"({"mask":{"patch":8,"ratio":0.5},"finetune":{"data":{"root":"/x"}}})");
  EXPECT_EQ(leaves(root).size(), 3u);
  EXPECT_EQ(leaves(root)[2].first, "finetune.data.root");
  EXPECT_TRUE(leaves(Json(3)).empty());
}

TEST(ParseOverride, ReadsJsonElseText) {
  EXPECT_EQ(parse_override("mask.ratio=0.6"), (std::pair<std::string, Json>("mask.ratio", 0.6)));
  EXPECT_EQ(parse_override("a=[1,2]").second, Json::array({1, 2}));
  EXPECT_EQ(parse_override("a=swin_base").second, "swin_base");
  EXPECT_EQ(parse_override("a=b=c").second, "b=c");
  EXPECT_EQ(parse_override("a=").second, "");
  EXPECT_EQ(parse_override("a=true").second, true);
  EXPECT_NE(error_of(Code::usage, [] { parse_override("mask.ratio"); }).find("an override is written key.path=value"),
            std::string::npos);
  EXPECT_NE(error_of(Code::usage, [] { parse_override("=1"); }), "");
  EXPECT_NE(error_of(Code::usage, [] { parse_override("data.root=/caf\xe9"); }).find("must be valid UTF-8"),
            std::string::npos);
}

}  // namespace
}  // namespace simmim
