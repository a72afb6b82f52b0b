#include "weights/pickle.h"

#include "temporary.h"

namespace simmim {
namespace {

using Kind = PickleNode::Kind;
using namespace std::string_literals;

std::string pickle_refusal(const std::string& bytes) {
  return error_of(Code::data, [&] { Pickle(bytes, "p"); });
}

TEST(Pickle, ReadsNumbersOfEverySize) {
  EXPECT_EQ(Pickle("K\xff."s, "p").root().integer, 255);
  EXPECT_EQ(Pickle("M\x01\x02."s, "p").root().integer, 513);
  EXPECT_EQ(Pickle("J\xff\xff\xff\xff."s, "p").root().integer, -1);
  EXPECT_EQ(Pickle("\x8a\x01\xfe."s, "p").root().integer, -2);
  EXPECT_EQ(Pickle("\x8a\x00."s, "p").root().integer, 0);
  EXPECT_EQ(Pickle("\x8a\x06\x00\x00\x00\x00\x00\x01."s, "p").root().integer, int64_t{1} << 40);
  EXPECT_TRUE(Pickle("\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01."s, "p").root().is(Kind::big_integer));
  EXPECT_EQ(Pickle("G\x3f\xf8\x00\x00\x00\x00\x00\x00."s, "p").root().number, 1.5);
}

TEST(Pickle, RemembersCallsWithoutMakingThem) {
  const Pickle pickle("cos\nsystem\nX\x02\x00\x00\x00ls\x85R."s, "p");
  EXPECT_TRUE(pickle.root().is(Kind::object));
  EXPECT_EQ(pickle.root().text, "os.system");
  EXPECT_EQ(pickle.root().head->items[0]->text, "ls");
}

TEST(Pickle, LooksUpTextKeysAndTellsWhereItEnds) {
  const Pickle pickle(
      "}(U\x01"s
      "aK\x01U\x01"s
      "bNu.rest"s,
      "p");
  EXPECT_EQ(pickle.root().at("a")->integer, 1);
  EXPECT_TRUE(pickle.root().at("b")->is(Kind::none));
  EXPECT_EQ(pickle.root().at("c"), nullptr);
  EXPECT_EQ(pickle.size(), 13u);
}

TEST(Pickle, RefusesDamageInOneSentence) {
  EXPECT_EQ(pickle_refusal("K"),
            "p: damaged or unusual checkpoint: it ends in the middle of an object; save or download it again");
  EXPECT_NE(pickle_refusal(".").find("an operation lacks its operand"), std::string::npos);
  EXPECT_NE(pickle_refusal("K\1u.").find("an operation lacks its MARK"), std::string::npos);
  EXPECT_NE(pickle_refusal("](K\1u.").find("items are added to something that holds none"), std::string::npos);
  EXPECT_NE(pickle_refusal("}(K\1u.").find("a key without a value"), std::string::npos);
  EXPECT_NE(pickle_refusal("h\1.").find("it refers to an object that does not exist"), std::string::npos);
  EXPECT_NE(pickle_refusal("K\1(0R.").find("an operation lacks its operand"), std::string::npos);
  EXPECT_NE(pickle_refusal("Z.").find("the pickle operation 0x5a at byte 0 is not one that torch.save writes"),
            std::string::npos);
  EXPECT_NE(pickle_refusal("c" + std::string(2000, 'm') + "\nn\n.").find("a class name of 2001 bytes"),
            std::string::npos);
}

// Two bytes that would need gigabytes: a text of 4 GiB, and 5 million objects.
TEST(Pickle, TakesNoMoreMemoryThanItsInputCanPayFor) {
  EXPECT_NE(pickle_refusal("X\xff\xff\xff\xff"s).find("it ends in the middle"), std::string::npos);
  EXPECT_NE(pickle_refusal(std::string(5'000'000, ']')).find("more than 4000000 objects"), std::string::npos);
  EXPECT_NE(pickle_refusal(std::string(5'000'000, '(')).find("more than 4000000 objects"), std::string::npos);
}

}  // namespace
}  // namespace simmim
