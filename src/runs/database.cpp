#include "runs/database.h"

#include <sys/vfs.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <map>
#include <thread>

#include "runs/ingest.h"
#include "runs/run_folder.h"
#include "runs/run_rows.h"
#include "runs/schema.h"
#include "runs/take_in.h"

namespace simmim {
namespace {

void choose_journal(Sqlite& opened, const fs::path& database) {
  opened.execute(why_no_wal(database).empty() ? "PRAGMA journal_mode = WAL" : "PRAGMA journal_mode = DELETE");
}

std::string file_uri(const fs::path& path) {
  std::string uri = "file:";
  for (const char c : fs::absolute(path).string())
    uri += c == '?' || c == '#' || c == '%' ? fmt::format("%{:02x}", static_cast<int>(c)) : std::string(1, c);
  return uri;
}

Sqlite empty_database(const fs::path& database) {
  Sqlite empty(":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, database.string(), 0);
  create_schema(empty);
  return empty;
}

// Opened for writing where that is possible, although it only reads: the last reader of a WAL database may then clear
// the side files away, which a read-only one leaves behind. A folder that cannot be written to is read as it stands.
Sqlite open_existing(const fs::path& database) {
  const std::string uri = file_uri(database), where = database.string();
  const bool writable =
      ::access(database.c_str(), W_OK) == 0 && ::access(fs::absolute(database).parent_path().c_str(), W_OK) == 0;
  if (writable) return Sqlite(uri, SQLITE_OPEN_READWRITE, where, 30000);
  std::error_code missing;
  const auto wal = fs::file_size(fs::path(database).concat("-wal"), missing);
  const bool in_use = !missing && wal > 0;
  return Sqlite(uri + (in_use ? "" : "?immutable=1"), SQLITE_OPEN_READONLY, where, 30000);
}

// Reading changes no file: an older schema is brought up to date in a copy in memory.
Sqlite migrated_copy(const Sqlite& old, int64_t version) {
  Sqlite memory(":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, old.where(), 0);
  sqlite3_backup* const copy = sqlite3_backup_init(memory.handle(), "main", old.handle(), "main");
  if (copy != nullptr) sqlite3_backup_step(copy, -1);
  if (copy == nullptr || sqlite3_backup_finish(copy) != SQLITE_OK)
    fail(Code::database, "{}: cannot be read as a whole ({}); try again", old.where(), sqlite3_errmsg(memory.handle()));
  migrate_schema(memory, version);
  return memory;
}

void vacuum_into(const fs::path& database, const fs::path& target) {
  const fs::path temporary = fs::path(target).concat(fmt::format(".tmp{}", ::getpid()));
  std::error_code ignored;
  fs::remove(temporary, ignored);
  try {
    open_existing(database).prepare("VACUUM INTO ?").bind(1, temporary.string()).run();
    fs::rename(temporary, target);
  } catch (...) {
    fs::remove(temporary, ignored);
    throw;
  }
}

// Nobody else writes between the copy and the change.
void migrate(Sqlite& opened, const fs::path& database) {
  Transaction transaction(opened);
  const int64_t from = schema_version(opened);
  if (from == kSchemaVersion) return;  // another process was quicker
  vacuum_into(database, backup_before_migration(database, from));
  migrate_schema(opened, from);
  transaction.commit();
}

// What the index calls running and is not: its process has gone, before it wrote how it ended or just after.
void correct_running_states(Sqlite& database, const fs::path& out) {
  Statement running = database.prepare("SELECT id FROM runs WHERE state = 'running'");
  std::map<std::string, std::string> ended;
  while (running.step())
    if (const fs::path folder = run_path(out, running.text(0)); fs::exists(folder))
      if (const std::string state = effective_state(folder, read_record(folder)); state != "running")
        ended[running.text(0)] = state;
  running.reset();
  if (ended.empty()) return;
  database.execute("CREATE TEMP TABLE ended(run TEXT PRIMARY KEY, state TEXT)");
  Statement insert = database.prepare("INSERT INTO temp.ended VALUES (?, ?)");
  for (const auto& [run, state] : ended) insert.bind_all(run, state).run();
  database.execute("CREATE TEMP VIEW results AS " + results_with_ended_runs());
}

// Tries again where the busy timeout does not apply (changing the journal mode, a snapshot that went stale): those
// come back at once. What has waited for its timeout is not tried again, a run stands still meanwhile.
template <class Action>
auto with_retries(Action&& action) {
  const auto began = std::chrono::steady_clock::now();
  for (int tries = 1;; ++tries) {
    try {
      return action();
    } catch (const Error& error) {
      const bool waited = std::chrono::steady_clock::now() - began > std::chrono::seconds(2);
      if (tries == 5 || waited || std::string(error.what()).find("another process holds") == std::string::npos) throw;
      std::this_thread::sleep_for(std::chrono::milliseconds(10 << tries));
    }
  }
}

void take_in_everything(Sqlite& database, const fs::path& out, RebuildReport& report) {
  const Changes all = find_changes(database, out);
  for (const fs::path& plan : all.plans) report.sweeps += take_in_plan(database, plan);
  for (const fs::path& folder : all.runs)
    if (take_in_run(database, folder))
      ++report.runs;
    else
      report.skipped.push_back(folder);
}

// "" or the sentence of the error that `action` ended with.
template <class Action>
std::string warning_of(Action&& action) {
  try {
    with_retries(action);
    return "";
  } catch (const std::exception& error) {
    return error.what();
  }
}

}  // namespace

std::string network_file_system(uint32_t magic) {
  static const std::map<uint32_t, std::string> names = {
      {0x6969, "NFS"},        {0xff534d42, "CIFS"},  {0xfe534d42, "SMB"},     {0x517b, "SMB"},
      {0x0bd00bd0, "Lustre"}, {0x47504653, "GPFS"},  {0x19830326, "BeeGFS"},  {0x65735546, "FUSE"},
      {0x01021997, "9p"},     {0x00c36400, "Ceph"},  {0x5346414f, "AFS"},     {0x7461636f, "OCFS2"},
      {0x01161970, "GFS2"},   {0xaad7aaea, "PanFS"}, {0x20030528, "OrangeFS"}};
  const auto found = names.find(magic);
  return found == names.end() ? "" : found->second;
}

std::string why_no_wal(const fs::path& database) {
  if (const char* forced = std::getenv("SIMMIM_WAL"); forced != nullptr && *forced != '\0')
    return std::string(forced) == "off" ? "SIMMIM_WAL=off" : "";
  const fs::path folder = fs::absolute(database).parent_path();
  struct statfs status {};
  if (::statfs(folder.c_str(), &status) != 0) return "";
  const std::string name = network_file_system(static_cast<uint32_t>(status.f_type));
  return name.empty() ? "" : name + " has no shared memory";
}

fs::path backup_before_migration(const fs::path& database, int64_t version) {
  return fs::path(database).concat(fmt::format(".schema-{}", version));
}

int64_t stored_schema_version(const fs::path& database) { return schema_version(open_existing(database)); }

Sqlite open_for_reading(const fs::path& database, const fs::path& out) {
  std::error_code missing;
  if (!fs::exists(database, missing)) return empty_database(database);
  Sqlite opened = open_existing(database);
  const int64_t version = schema_version(opened);
  if (version == 0) return empty_database(database);
  if (version < kSchemaVersion) opened = migrated_copy(opened, version);
  if (!out.empty()) correct_running_states(opened, out);
  opened.execute("PRAGMA query_only = 1");
  return opened;
}

Sqlite open_for_writing(const fs::path& database, int busy_milliseconds) {
  if (!database.parent_path().empty()) make_folder(database.parent_path());
  return with_retries([&] {
    Sqlite opened(file_uri(database), SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, database.string(), busy_milliseconds);
    opened.execute("PRAGMA foreign_keys = ON; PRAGMA synchronous = NORMAL");
    const int64_t version = schema_version(opened);
    if (version == 0 || !why_no_wal(database).empty()) choose_journal(opened, database);
    if (version > 0 && version < kSchemaVersion) migrate(opened, database);
    if (version == 0) {
      Transaction transaction(opened);
      if (schema_version(opened) == 0) create_schema(opened);  // another process may have been quicker
      transaction.commit();
    }
    return opened;
  });
}

std::string ingest_run(const fs::path& database, const fs::path& run_folder, int busy_milliseconds) {
  return warning_of([&] {
    Sqlite opened = open_for_writing(database, busy_milliseconds);
    Transaction transaction(opened);
    std::error_code missing;
    if (fs::exists(run_folder, missing))
      take_in_run(opened, run_folder);
    else
      forget_run(opened, run_folder.filename());
    transaction.commit();
  });
}

std::string ingest_plan(const fs::path& database, const fs::path& plan_file) {
  return warning_of([&] {
    Sqlite opened = open_for_writing(database);
    Transaction transaction(opened);
    take_in_plan(opened, plan_file);
    transaction.commit();
  });
}

std::string ingest_changes(const fs::path& database, const fs::path& out) {
  return warning_of([&] {
    if (const Changes changes = find_changes(open_for_reading(database, ""), out);
        changes.runs.empty() && changes.plans.empty())
      return;
    Sqlite opened = open_for_writing(database);
    RebuildReport report;
    Transaction transaction(opened);
    take_in_everything(opened, out, report);
    transaction.commit();
  });
}

RebuildReport rebuild_database(const fs::path& database, const fs::path& out) {
  const auto rebuild = [&] {
    Sqlite opened(file_uri(database), SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, database.string(), 30000);
    opened.execute("PRAGMA synchronous = NORMAL");
    choose_journal(opened, database);
    RebuildReport report;
    Transaction transaction(opened);
    drop_schema(opened);
    create_schema(opened);
    take_in_everything(opened, out, report);
    transaction.commit();
    return report;
  };
  if (!database.parent_path().empty()) make_folder(database.parent_path());
  try {
    return rebuild();
  } catch (const Error& error) {  // too broken to be emptied: away with it
    if (error.code() != Code::database || std::string(error.what()).find("is broken") == std::string::npos) throw;
    for (const char* suffix : {"", "-wal", "-shm", "-journal"}) fs::remove(fs::path(database).concat(suffix));
    return rebuild();
  }
}

void backup_database(const fs::path& database, const fs::path& target) {
  std::error_code missing;
  if (!fs::exists(database, missing)) fail(Code::database, "{}: there is no database yet", database.string());
  if (fs::exists(target, missing)) fail(Code::database, "{}: exists already; name a new file", target.string());
  vacuum_into(database, target);
}

}  // namespace simmim
