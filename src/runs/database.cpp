#include "runs/database.h"

#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <thread>

#include "runs/ingest.h"
#include "runs/run_folder.h"
#include "runs/schema.h"
#include "runs/take_in.h"

namespace simmim {
namespace {

// WAL needs shared memory between its processes, which these file systems do not give (magic numbers of statfs(2)).
bool on_network_file_system(const fs::path& path) {
  constexpr std::array<uint32_t, 9> kNetwork{0x6969 /* NFS */,        0xff534d42 /* CIFS */,   0xfe534d42 /* SMB2 */,
                                             0x517b /* SMB */,        0x0bd00bd0 /* Lustre */, 0x47504653 /* GPFS */,
                                             0x19830326 /* BeeGFS */, 0x65735546 /* FUSE */,   0x01021997 /* 9p */};
  struct statfs status {};
  if (::statfs(path.empty() ? "." : path.c_str(), &status) != 0) return false;
  return std::find(kNetwork.begin(), kNetwork.end(), static_cast<uint32_t>(status.f_type)) != kNetwork.end();
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

void mark_lost_runs(Sqlite& database, const fs::path& out) {
  Statement running = database.prepare("SELECT id FROM runs WHERE state = 'running'");
  std::vector<std::string> lost;
  while (running.step())
    if (const fs::path folder = run_path(out, running.text(0)); effective_state(folder, read_record(folder)) == "lost")
      lost.push_back(running.text(0));
  running.reset();
  if (lost.empty()) return;
  database.execute("CREATE TEMP TABLE lost(run TEXT PRIMARY KEY)");
  Statement insert = database.prepare("INSERT INTO temp.lost VALUES (?)");
  for (const std::string& run : lost) insert.bind(1, run).run();
  database.execute("CREATE TEMP VIEW results AS " + results_with_lost_runs());
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
  for (const fs::path& folder : all.runs) (take_in_run(database, folder) ? report.runs : report.skipped) += 1;
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

Sqlite open_for_reading(const fs::path& database, const fs::path& out) {
  std::error_code missing;
  if (!fs::exists(database, missing)) return empty_database(database);
  Sqlite opened = open_existing(database);
  if (schema_version(opened) == 0) return empty_database(database);
  if (!out.empty()) mark_lost_runs(opened, out);
  opened.execute("PRAGMA query_only = 1");
  return opened;
}

Sqlite open_for_writing(const fs::path& database, int busy_milliseconds) {
  if (!database.parent_path().empty()) make_folder(database.parent_path());
  return with_retries([&] {
    Sqlite opened(file_uri(database), SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, database.string(), busy_milliseconds);
    opened.execute("PRAGMA foreign_keys = ON; PRAGMA synchronous = NORMAL");
    if (schema_version(opened) == 0) {
      opened.execute(on_network_file_system(database.parent_path()) ? "PRAGMA journal_mode = DELETE"
                                                                    : "PRAGMA journal_mode = WAL");
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
    take_in_run(opened, run_folder);
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
    opened.execute(on_network_file_system(database.parent_path()) ? "PRAGMA journal_mode = DELETE"
                                                                  : "PRAGMA journal_mode = WAL");
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
  Sqlite opened = open_existing(database);
  schema_version(opened);
  opened.prepare("VACUUM INTO ?").bind(1, target.string()).run();
}

}  // namespace simmim
