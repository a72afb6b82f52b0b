// Databases of older programs: schema-1.sql is the dump of one that the program of schema 1 wrote.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <set>

#include "runs/database.h"
#include "runs/ingest.h"
#include "runs/query.h"
#include "runs/sample_runs.h"
#include "runs/schema.h"
#include "temporary.h"

namespace simmim {
namespace {

class Migration : public testing::Test {
 protected:
  Migration() {
    Sqlite old(path_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, path_, 0);
    old.execute(read_file(fs::path(SIMMIM_SOURCE_DIR) / "tests/runs/schema-1.sql"));
  }
  static std::string text(const fs::path& database, const std::string& sql) {
    std::string out;
    for (const auto& row : query(open_for_reading(database, ""), sql).rows)
      for (const Value& value : row) out += text_of(value) + "|";
    return out;
  }
  TemporaryFolder folder_;
  fs::path path_ = folder_.path / "simmim.db", backup_ = backup_before_migration(path_, 1);
};

constexpr const char* kResults = "SELECT * FROM results ORDER BY run";

TEST_F(Migration, HappensOnceWithABackupAndLosesNoRow) {
  EXPECT_EQ(stored_schema_version(path_), 1);
  const std::string before = read_file(path_), results = text(path_, kResults),
                    curves = text(path_, "SELECT * FROM curves"), members = text(path_, "SELECT * FROM members");
  EXPECT_NE(results.find("|done|"), std::string::npos);
  EXPECT_EQ(read_file(path_), before);  // reading an old file changes nothing
  EXPECT_FALSE(fs::exists(backup_));
  open_for_writing(path_);
  EXPECT_EQ(stored_schema_version(path_), kSchemaVersion);
  EXPECT_EQ(stored_schema_version(backup_), 1);
  EXPECT_EQ(text(backup_, kResults), results);
  EXPECT_EQ(text(path_, kResults), results);
  EXPECT_EQ(text(path_, "SELECT * FROM curves"), curves);
  EXPECT_EQ(text(path_, "SELECT * FROM members"), members);
  const auto time = fs::last_write_time(backup_);
  open_for_writing(path_);
  EXPECT_EQ(fs::last_write_time(backup_), time);
}

TEST_F(Migration, GivesTheTablesAndViewsOfANewDatabase) {
  open_for_writing(path_);
  const Sqlite migrated = open_for_reading(path_, ""), fresh = open_for_reading(folder_.path / "none.db", "");
  const auto shape = [](const Sqlite& database) {
    std::map<std::string, std::set<std::string>> columns;
    Statement rows = database.prepare(
        "SELECT m.name, c.name || ' ' || c.type || ' ' || c.\"notnull\" || ' ' || c.pk FROM sqlite_master m, "
        "pragma_table_info(m.name) c WHERE m.type IN ('table', 'view')");
    while (rows.step()) columns[rows.text(0)].insert(rows.text(1));
    return columns;
  };
  EXPECT_EQ(shape(migrated), shape(fresh));
  EXPECT_EQ(text(path_, "SELECT * FROM paper_values"), text(folder_.path / "none.db", "SELECT * FROM paper_values"));
}

TEST_F(Migration, OfSeveralProcessesAtOnceHappensOnce) {
  std::vector<pid_t> children;
  for (int process = 0; process < 4; ++process) {
    const pid_t child = fork();
    if (child == 0) {
      try {
        open_for_writing(path_);
        _exit(stored_schema_version(backup_) == 1 ? 0 : 1);
      } catch (const std::exception&) {
        _exit(2);
      }
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = -1;
    waitpid(child, &status, 0);
    EXPECT_EQ(WEXITSTATUS(status), 0);
  }
  EXPECT_EQ(stored_schema_version(path_), kSchemaVersion);
}

TEST_F(Migration, WithoutRoomForTheBackupLeavesTheOldFile) {
  const std::string before = read_file(path_), results = text(path_, kResults);
  EXPECT_TRUE(in_child([&] {
    limit_files_to(20000);
    const std::string trouble = ingest_run(path_, folder_.path / "runs/none");
    return trouble.find("no space") != std::string::npos || trouble.find("cannot") != std::string::npos;
  }));
  EXPECT_EQ(read_file(path_), before);
  EXPECT_FALSE(fs::exists(backup_));
  EXPECT_EQ(text(path_, kResults), results);
}

TEST(Journal, ModeIsWalExceptWhereTheFileSystemCannot) {
  EXPECT_EQ(network_file_system(0x6969), "NFS");
  EXPECT_EQ(network_file_system(0x0bd00bd0), "Lustre");
  EXPECT_EQ(network_file_system(0xef53), "");      // ext4
  EXPECT_EQ(network_file_system(0x01021994), "");  // tmpfs
  TemporaryFolder folder;
  const fs::path path = folder.path / "simmim.db";
  const auto mode = [&] {
    Sqlite opened = open_for_writing(path);
    Statement asked = opened.prepare("PRAGMA journal_mode");
    asked.step();
    return asked.text(0);
  };
  EXPECT_EQ(mode(), "wal");
  ::setenv("SIMMIM_WAL", "off", 1);
  EXPECT_EQ(why_no_wal(path), "SIMMIM_WAL=off");
  EXPECT_EQ(mode(), "delete");  // moved to such a file system
  write_run(folder.path, {.id = "aa"});
  EXPECT_EQ(ingest_changes(path, folder.path), "");
  EXPECT_EQ(query(open_for_reading(path, ""), "SELECT run FROM results").rows.size(), 1u);
  rebuild_database(path, folder.path);
  EXPECT_EQ(mode(), "delete");
  ::unsetenv("SIMMIM_WAL");
}

}  // namespace
}  // namespace simmim
