// A run on disk: OUT/runs/ID with config.json, run.json, metrics.jsonl, log.txt, checkpoints, images, crash/.
// These folders are the truth; the database is an index of them.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/files.h"
#include "core/json.h"
#include "runs/journal.h"

namespace simmim {

// waiting running done failed interrupted lost stopped. `lost` is found, never written by a run: it says "running" but
// its process is gone. `stopped`: given up on purpose (--max-failures, a person).
const std::vector<std::string>& run_states();

fs::path runs_folder(const fs::path& out);                           // OUT/runs
fs::path run_path(const fs::path& out, const std::string& id);       // OUT/runs/ID
fs::path sweeps_folder(const fs::path& out);                         // OUT/sweeps
fs::path database_path(const fs::path& out, const std::string& db);  // --db, else SIMMIM_DB, else OUT/simmim.db
std::string utc_now();                                               // "2026-11-23T17:43:50.123Z"
double utc_seconds(std::string_view utc);  // such a text in seconds since 1970; NaN if it is none
std::string host_name();

// run.json of a folder; an empty object where there is none or it cannot be read.
Json read_record(const fs::path& folder);

// The state to show for a record: "running" becomes "lost" when its last attempt ran on this host and nobody holds
// the lock, or ran on another host that gave no heartbeat for ten minutes. No record at all is "waiting".
std::string effective_state(const fs::path& folder, const Json& record);

// A run that this process holds. The lock is let go when the object or the process ends, however it ends.
class RunFolder {
 public:
  // Makes the folder and takes its lock; nullopt if another process holds it. Code::data if it cannot be made.
  static std::optional<RunFolder> claim(const fs::path& out, const std::string& id);

  const std::string& id() const { return id_; }
  const fs::path& path() const { return path_; }
  fs::path file(std::string_view name) const { return path_ / name; }

  const Json& record() const { return record_; }  // run.json as last read or written; {} for a new run
  void replace_record(Json record);               // writes it whole, stamped with id and "updated_at"

  // config.json: {"stage","config","given","sources","parent","fingerprint","versions"}.
  void write_config(const Json& config);

  // Appends an attempt {host, pid, started_at, state: "running"} with `facts` merged in (device, gpus, threads,
  // environment {...}) and sets the run's kind, parent and seed. An attempt still marked running is closed as lost,
  // with the seconds its journal shows.
  void begin_attempt(const std::string& kind, const std::string& parent, int64_t seed, const Json& facts);
  // Merges `summary` into the record's summary (see plan of keys in docs of the view `results`) and notes the seconds
  // of the current attempt so far. Call it each epoch: a crash then loses an epoch of accounting at most.
  void update_summary(const Json& summary);
  // Closes the current attempt with `state` (done, failed, interrupted, stopped), its exit code and error text.
  void end_attempt(const std::string& state, int exit_code = 0, const std::string& error = "");

  // metrics.jsonl, opened by open_journal (see Journal for keep_bytes).
  Journal& open_journal(std::optional<uint64_t> keep_bytes);
  Journal& journal();

  void log(std::string_view line);  // appends "UTC line" to log.txt; a full disk is ignored
  void heartbeat();  // for other hosts: touches the lock file, at most every 30 s; cheap, call it each step

 private:
  RunFolder(std::string id, fs::path path, FileLock lock);
  std::string id_;
  fs::path path_;
  FileLock lock_;
  Json record_ = Json::object();
  std::optional<Journal> journal_;
  double attempt_began_ = 0, last_beat_ = 0;  // seconds of the steady clock
};

// The run that `text` names: an id, a unique prefix of one, "latest" (the one written to last) or "SWEEP:cell"
// (the tokens of the cell in any order, a part of them if unique; "seed=1" and "stage=pretrain" may be added; without
// them the first seed's last stage). `kind` (pretrain, finetune, ...) keeps only runs of that kind. Code::usage when
// nothing or more than one matches, with the candidates.
std::string resolve_run(const fs::path& out, const std::string& text, const std::string& kind = "");

// Held by what copies or deletes whole run folders (db merge, gc). Code::run_failed if another process does so now.
FileLock lock_folders(const fs::path& out);

// The newest plan of a sweep (highest revision); nullopt if there is none.
std::optional<Json> read_plan(const fs::path& out, const std::string& sweep);
std::vector<std::string> sweep_names(const fs::path& out);

}  // namespace simmim
