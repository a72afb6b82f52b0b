// The database in trouble while a sweep runs: it is an index, and the sweep goes on. Needs the engine and
// Fashion-MNIST.
#include <gtest/gtest.h>

#include "cli/process.h"
#include "runs/database.h"
#include "runs/query.h"
#include "runs/run_folder.h"
#include "temporary.h"

namespace simmim {
namespace {

using Words = std::vector<std::string>;

class Index : public testing::Test {
 protected:
  Index() {
    Json set = Json::object();
    for (const std::string& word : tiny()) {
      const auto [key, value] = parse_override(word);
      set[key] = value;
    }
    folder_.write("s.json", Json({{"set", set},
                                  {"axes", {{{"grid", {{"finetune.lr", {1e-3, 2e-3}}}}}}},
                                  {"seeds", 1},
                                  {"resources", {{"threads", 1}}}})
                                .dump());
  }
  Words words() { return {"sweep", (folder_ / "s.json").string(), "--jobs", "1", "--out", out_.string()}; }
  std::string views() {
    std::string text;
    for (const char* sql : {"SELECT * FROM results ORDER BY run", "SELECT * FROM members", "SELECT * FROM cells",
                            "SELECT * FROM curves ORDER BY run, key, step"})
      for (const auto& row : query(open_for_reading(database_, out_), sql).rows)
        for (const Value& value : row) text += text_of(value) + "|";
    return text;
  }
  void expect_whole() {
    ASSERT_EQ(simmim_run({"status", "--out", out_.string()}).code, 0);
    EXPECT_EQ(query(open_for_reading(database_, out_), "SELECT run FROM results WHERE state = 'done'").rows.size(), 3u);
    const std::string before = views();
    rebuild_database(database_, out_);
    EXPECT_EQ(views(), before);
  }
  Temporary folder_;
  fs::path out_ = folder_ / "results", database_ = out_ / "simmim.db";
};

TEST_F(Index, DeletedWhileASweepRunsIsMadeAnew) {
  Process sweep(words());
  ASSERT_TRUE(sweep.wait_for("epoch 1:"));
  for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(fs::path(database_).concat(suffix));
  const Finished got = sweep.finish();
  EXPECT_EQ(got.code, 0) << got.err;
  expect_whole();
}

TEST_F(Index, HeldByAnotherProgramStopsNoSweep) {
  Process sweep(words());
  ASSERT_TRUE(sweep.wait_for("epoch 1:"));
  {
    Sqlite other = open_for_writing(database_);
    Transaction held(other);
    ASSERT_TRUE(sweep.wait_for("epoch 2:"));  // it learns on meanwhile
  }
  const Finished got = sweep.finish();
  EXPECT_EQ(got.code, 0) << got.err;
  expect_whole();
}

TEST_F(Index, BrokenWhileASweepRunsIsAWarning) {
  Process sweep(words());
  ASSERT_TRUE(sweep.wait_for("epoch 1:"));
  for (const char* suffix : {"-wal", "-shm"}) fs::remove(fs::path(database_).concat(suffix));
  write_file_atomically(database_, std::string(20000, 'x'));
  const Finished got = sweep.finish();
  EXPECT_EQ(got.code, 0) << got.err;
  EXPECT_NE(got.err.find("simmim db rebuild"), std::string::npos) << got.err;
  rebuild_database(database_, out_);
  expect_whole();
}

TEST_F(Index, BrokenBeforeASweepStartsLeavesItItsHours) {
  make_folder(out_);
  write_file_atomically(database_, std::string(20000, 'x'));
  const Finished got = simmim_run(words() + Words{"--hours", "9"});
  EXPECT_EQ(got.code, 0) << got.err;
  rebuild_database(database_, out_);
  expect_whole();
}

}  // namespace
}  // namespace simmim
