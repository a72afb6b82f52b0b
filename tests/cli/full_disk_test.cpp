// A disk of 8 MB that is really full: a tmpfs in a mount namespace of the test's own.
#include <gtest/gtest.h>

#include <cstdlib>

#include "cli/process.h"
#include "core/names.h"
#include "runs/sqlite.h"
#include "temporary.h"

namespace simmim {
namespace {

class FullDisk : public testing::Test {
 protected:
  void SetUp() override {
    if (std::system("unshare --user --map-root-user --mount true 2> /dev/null") != 0)
      GTEST_SKIP() << "no user and mount namespaces here";
    make_folder(folder_ / "disk");
  }

  // Runs a shell script in FOLDER, where disk/ is a tmpfs of so many bytes; `simmim` is the program, on one thread and
  // with $TINY a configuration whose last.safetensors has 2.9 MB. What it prints goes to FOLDER/log.
  int run(int bytes, const std::string& script) {
    const fs::path file = folder_.write(
        "script.sh", "set -eu\ncd '" + (folder_ / "").string() + "'\nmount -t tmpfs -o size=" + std::to_string(bytes) +
                         " tmpfs disk\nexport SIMMIM_THREADS=1\nTINY='" + join(tiny(), " ") +
                         " encoder.dim=80 encoder.depth=3 pretrain.save_steps=4'\nsimmim() { '" SIMMIM_BINARY
                         "' \"$@\"; }\n" +
                         script);
    return std::system(("unshare --user --map-root-user --mount sh " + file.string() + " > " + log().string() + " 2>&1")
                           .c_str()) >>
           8;
  }
  fs::path log() { return folder_ / "log"; }
  Temporary folder_;
};

TEST_F(FullDisk, KeepsTheLastCheckpointAndTheSameCommandContinuesOnceThereIsRoom) {
  // The first checkpoint fits beside the ballast, the second does not.
  const int code = run(8 << 20, R"sh(
    simmim pretrain $TINY --out whole
    head -c 3000000 /dev/zero > disk/ballast
    status=0; simmim pretrain $TINY --out disk/results 2> disk.err || status=$?
    [ $status = 5 ]
    grep -q 'last.safetensors: cannot write [0-9]* bytes: No space left on device; free some space' disk.err
    [ $(grep -c 'simmim: ' disk.err) = 1 ]
    [ -z "$(find disk -name '*.tmp*')" ]
    simmim inspect disk/results/runs/*/last.safetensors > inspected
    grep -q opt.exp_avg inspected
    head -c 9000000 /dev/zero > disk/more || true
    status=0; simmim pretrain $TINY --out disk/results 2> fuller.err || status=$?
    [ $status = 5 ]
    rm disk/ballast disk/more
    simmim pretrain $TINY --out disk/results 2> again.err
    grep -q 'goes on from' again.err
    cmp whole/runs/*/final.safetensors disk/results/runs/*/final.safetensors
  )sh");
  EXPECT_EQ(code, 0) << read_file(log()) << read_file(folder_ / "disk.err");
}

TEST_F(FullDisk, OfTheIndexAloneIsAWarningAndTheRunGoesOn) {
  const int code = run(64 << 10, R"sh(
    simmim pretrain $TINY --out results --db disk/simmim.db 2> disk.err
    [ $(grep -c 'warning: .*simmim.db' disk.err) = 1 ]
    simmim db rebuild --out results
    [ "$(simmim query 'SELECT count(*) FROM results' --out results --format csv | tail -1)" = 1 ]
  )sh");
  EXPECT_EQ(code, 0) << read_file(log()) << read_file(folder_ / "disk.err");
}

TEST_F(FullDisk, StopsAMigrationBeforeItBegins) {
  const fs::path old = folder_ / "old.db";
  Sqlite(old, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, old, 0)
      .execute(read_file(fs::path(SIMMIM_SOURCE_DIR) / "tests/runs/schema-1.sql"));
  const int code = run(static_cast<int>(fs::file_size(old)) + (64 << 10), R"sh(
    mkdir disk/results
    cp old.db disk/results/simmim.db
    status=0; simmim db migrate --out disk/results 2> disk.err || status=$?
    [ $status = 7 ]
    grep -q 'simmim.db: no space for the database' disk.err
    cmp old.db disk/results/simmim.db
    [ -z "$(find disk -name '*.schema-1*')" ]
    simmim runs --out disk/results --ids > before
    [ -s before ]
    mount -o remount,size=4m disk
    simmim db migrate --out disk/results --json > migrated
    grep -q 'brought up to date' migrated
    [ -f disk/results/simmim.db.schema-1 ]
    simmim runs --out disk/results --ids > after
    cmp before after
  )sh");
  EXPECT_EQ(code, 0) << read_file(log()) << read_file(folder_ / "disk.err");
}

}  // namespace
}  // namespace simmim
