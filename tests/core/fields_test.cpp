#include "core/fields.h"

#include <gtest/gtest.h>

#include "core/registry.h"
#include "temporary.h"

namespace simmim {
namespace {

struct Inner {
  double scale = 0.5;
  static void fields(auto& o, auto&& visit) { visit("scale", o.scale, "a scale", {.min = 0, .max = 1}); }
};

struct Options {
  int64_t hidden = 1024;
  bool flip = true;
  std::string kind = "a";
  std::optional<int64_t> window;
  std::vector<double> betas = {0.9, 0.999};
  Inner inner{.scale = 0.25};
  Json free = Json::object();
  static void fields(auto& o, auto&& visit) {
    visit("hidden", o.hidden, "width", {.min = 1});
    visit("flip", o.flip, "mirror images");
    visit("kind", o.kind, "which", {.choices = {"a", "b", "random"}});
    visit("window", o.window, "side", {.min = 1, .in_id = false});
    visit("betas", o.betas, "decay", {.min = 0, .max = 1});
    visit("inner", o.inner, "nested");
    visit("free", o.free, "anything");
  }
};

Options read(const char* text) {
  Options options;
  read_fields(options, parse_json(text, ""), "head", {"name"});
  return options;
}
std::string refusal(const char* text) {
  return error_of(Code::usage, [&] { read(text); });
}

TEST(Fields, ReadWhatIsNamedAndLeaveTheRest) {
  const Options options = read(R"({"name":"x","hidden":2.0,"window":7,"betas":[1],"inner":{"scale":1},"free":[{}]})");
  EXPECT_EQ(options.hidden, 2);
  EXPECT_EQ(options.flip, true);
  EXPECT_EQ(options.window, 7);
  EXPECT_EQ(options.betas, std::vector<double>{1});
  EXPECT_EQ(options.inner.scale, 1);
  EXPECT_EQ(options.free, Json::array({Json::object()}));
  EXPECT_EQ(read(R"({"window":"auto"})").window, std::nullopt);
  EXPECT_EQ(read(R"({"window":null})").window, std::nullopt);
}

TEST(Fields, WriteWhatTheyRead) {
  const Json written = write_fields(Options{});
  EXPECT_EQ(
      written.dump(),
      R"({"hidden":1024,"flip":true,"kind":"a","window":"auto","betas":[0.9,0.999],"inner":{"scale":0.25},"free":{}})");
  Options again;
  read_fields(again, written, "head");
  EXPECT_EQ(write_fields(again), written);
}

TEST(Fields, RefuseWithTheWhereTheGotAndTheAllowed) {
  EXPECT_EQ(
      refusal(R"({"hiden":1})"),
      "head.hiden: unknown key; did you mean 'hidden'? known: name, hidden, flip, kind, window, betas, inner or free");
  EXPECT_EQ(refusal(R"({"hidden":0})"), "head.hidden: got 0; allowed: integer, at least 1");
  EXPECT_EQ(refusal(R"({"hidden":1.5})"), "head.hidden: got 1.5; allowed: integer, at least 1");
  EXPECT_EQ(refusal(R"({"hidden":1e300})"), "head.hidden: got 1e+300; allowed: integer, at least 1");
  EXPECT_EQ(refusal(R"({"hidden":true})"), "head.hidden: got true; allowed: integer, at least 1");
  EXPECT_EQ(refusal(R"({"flip":1})"), "head.flip: got 1; allowed: true or false");
  EXPECT_EQ(refusal(R"({"kind":"randon"})"),
            "head.kind: got \"randon\"; allowed: a, b or random; did you mean 'random'?");
  EXPECT_EQ(refusal(R"({"window":0})"), "head.window: got 0; allowed: integer, at least 1");
  EXPECT_EQ(refusal(R"({"betas":0.9})"), "head.betas: got 0.9; allowed: list of number from 0 to 1");
  EXPECT_EQ(refusal(R"({"betas":[0.9,2]})"), "head.betas[1]: got 2; allowed: number from 0 to 1");
  EXPECT_EQ(refusal(R"({"inner":{"scale":"x"}})"), "head.inner.scale: got \"x\"; allowed: number from 0 to 1");
  EXPECT_EQ(refusal(R"({"inner":3})"), "head.inner: got 3; allowed: an object");
  EXPECT_EQ(refusal("[]"), "head: got []; allowed: an object");
}

TEST(Fields, DescribeTheDefaultsOfTheStructThatHoldsThem) {
  const std::vector<FieldDescription> rows = describe_fields<Options>();
  ASSERT_EQ(rows.size(), 7u);
  EXPECT_EQ(rows[0].name, "hidden");
  EXPECT_EQ(rows[0].type, "integer");
  EXPECT_EQ(rows[3].type, "integer or auto");
  EXPECT_FALSE(rows[3].rule.in_id);
  EXPECT_EQ(rows[4].type, "list of number");
  EXPECT_EQ(rows[5].name, "inner.scale");
  EXPECT_EQ(rows[5].default_value, 0.25);
}

struct Base {
  virtual ~Base() = default;
  int64_t sum = 0;
};
struct Adder : Base {
  using Options = simmim::Options;
  Adder(const Options& options, int64_t more) { sum = options.hidden + more; }
};

TEST(Family, ResolvesAndMakesAVariantByName) {
  const Family<Base, int64_t> family = {variant<Adder, Base, int64_t>("adder", "adds")};
  const Json block = {{"name", "adder"}, {"hidden", 5}};
  const auto& row = find_variant(family, block, "head");
  const Json resolved = row.resolve(block, "head");
  EXPECT_EQ(resolved.begin().key(), "name");
  EXPECT_EQ(resolved.size(), 8u);
  EXPECT_EQ(row.make(resolved, 2)->sum, 7);
  EXPECT_EQ(row.describe().size(), 7u);
  EXPECT_EQ(names_of(family), std::vector<std::string>{"adder"});
}

TEST(Family, RefusesAnUnknownName) {
  const Family<Base, int64_t> family = {variant<Adder, Base, int64_t>("adder", "adds")};
  EXPECT_EQ(error_of(Code::usage,
                     [&] {
                       find_variant(family, {{"name", "ader"}}, "head");
                     }),
            "head.name: unknown name 'ader'; did you mean 'adder'? known: adder");
  EXPECT_NE(error_of(Code::usage, [&] { find_variant(family, Json::array(), "head"); }), "");
}

}  // namespace
}  // namespace simmim
