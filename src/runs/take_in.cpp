#include "runs/take_in.h"

#include "core/hash.h"
#include "runs/merge.h"
#include "runs/run_folder.h"
#include "runs/run_rows.h"

namespace simmim {
namespace {

constexpr const char* kSummaryColumns[] = {
    "parameters", "epochs",     "steps",    "images_seen",       "val_top1",      "test_top1",  "test_top5",
    "best_epoch", "train_loss", "val_loss", "images_per_second", "skipped_steps", "val_images", "test_images"};

std::string store_environment(Sqlite& database, const Json& facts) {
  const std::string text = canonical(facts), id = hash_hex(text).substr(0, 16);
  database.prepare("INSERT OR IGNORE INTO environments(id, facts) VALUES (?, ?)").bind_all(id, text).run();
  return id;
}

struct Attempts {
  int64_t count = 0;
  double seconds = 0, gpu_seconds = 0;
  Value gpus, device, host, git_commit, started_at;  // of the last attempt; started_at of the first
};

// copy: "" for the run's own attempts, numbered from 1; those of its copies follow.
Attempts store_attempts(Sqlite& database, const std::string& run, const Json& record, const std::string& copy = "",
                        int64_t first = 0) {
  Attempts sum{.count = first};
  Statement insert = database.prepare("INSERT INTO attempts VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
  for (const Json& attempt : record.value("attempts", Json::array())) {
    Value environment;
    if (const Json* facts = find_path(attempt, "environment"); facts != nullptr && facts->is_object()) {
      environment = store_environment(database, *facts);
      sum.git_commit = value_at(*facts, "commit");
    }
    insert
        .bind_all(run, ++sum.count, value_at(attempt, "host"), value_at(attempt, "pid"),
                  value_at(attempt, "started_at"), value_at(attempt, "ended_at"), value_at(attempt, "state"),
                  value_at(attempt, "exit_code"), value_at(attempt, "error"), value_at(attempt, "seconds"),
                  value_at(attempt, "device"), value_at(attempt, "gpus"), value_at(attempt, "threads"), environment,
                  copy.empty() ? Value() : Value(copy))
        .run();
    const double seconds = number_or(value_at(attempt, "seconds"), 0);
    sum.seconds += seconds;
    sum.gpu_seconds += seconds * number_or(value_at(attempt, "gpus"), 0);
    sum.gpus = value_at(attempt, "gpus"), sum.device = value_at(attempt, "device"),
    sum.host = value_at(attempt, "host");
    if (sum.count == 1) sum.started_at = value_at(attempt, "started_at");
  }
  return sum;
}

// What tells whether the journal is still the one of which `bytes` were read: a resumed run cuts it and writes on, and
// merging puts another in its place. Each line has times to the last digit. "" if it is shorter.
std::string journal_tail(const fs::path& journal, int64_t bytes) {
  constexpr size_t kTail = 256;
  std::error_code missing;
  if (!fs::is_regular_file(journal, missing)) return "";
  const MappedFile file(journal);
  const auto end = static_cast<size_t>(bytes);
  if (end > file.bytes().size()) return "";
  const size_t begin = end > kTail ? end - kTail : 0;
  return hash_hex(file.bytes().substr(begin, end - begin)).substr(0, 16);
}

// Returns the byte up to which the journal has been read.
int64_t store_metrics(Sqlite& database, const std::string& run, const fs::path& journal, int64_t from) {
  if (from == 0) database.prepare("DELETE FROM metrics WHERE run = ?").bind(1, run).run();
  Statement insert =
      database.prepare("INSERT OR REPLACE INTO metrics(run, key, step, epoch, value, seconds) VALUES (?,?,?,?,?,?)");
  insert.bind(1, run);
  int64_t lines = 0;
  const uint64_t end = read_journal(journal, static_cast<uint64_t>(from), [&](const Json& line) {
    const auto step = line.find("step");
    if (step == line.end() || !step->is_number()) return;
    insert.bind(3, step->get<int64_t>()).bind(4, value_at(line, "epoch")).bind(6, value_at(line, "seconds"));
    for (const auto& [key, value] : line.items()) {
      if (key == "step" || key == "epoch" || key == "seconds" || !(value.is_number() || value.is_null())) continue;
      insert.bind(2, key).bind(5, to_value(value)).run();
    }
    ++lines;
  });
  if (lines > 0 || from == 0) {
    database.prepare("DELETE FROM metric_summary WHERE run = ?").bind(1, run).run();
    database
        .prepare(R"sql(
      INSERT INTO metric_summary SELECT run, key, count(*),
        (SELECT value FROM metrics f WHERE f.run = m.run AND f.key = m.key ORDER BY step LIMIT 1),
        (SELECT value FROM metrics l WHERE l.run = m.run AND l.key = m.key ORDER BY step DESC LIMIT 1),
        min(value), max(value),
        (SELECT step FROM metrics a WHERE a.run = m.run AND a.key = m.key AND a.value IS NOT NULL
         ORDER BY value, step LIMIT 1),
        (SELECT step FROM metrics b WHERE b.run = m.run AND b.key = m.key AND b.value IS NOT NULL
         ORDER BY value DESC, step LIMIT 1)
      FROM metrics m WHERE run = ? GROUP BY run, key)sql")
        .bind(1, run)
        .run();
  }
  return static_cast<int64_t>(end);
}

void store_artifacts(Sqlite& database, const std::string& run, const fs::path& folder) {
  database.prepare("DELETE FROM artifacts WHERE run = ?").bind(1, run).run();
  Statement insert = database.prepare("INSERT OR REPLACE INTO artifacts(run, path, bytes) VALUES (?, ?, ?)");
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string path = fs::relative(it->path(), folder, error);
    if (path == "lock" || path.find(".tmp") != std::string::npos || !it->is_regular_file(error)) continue;
    insert.bind_all(run, path, static_cast<int64_t>(it->file_size(error))).run();
  }
}

Json read_config(const fs::path& folder) {
  std::error_code missing;
  if (!fs::is_regular_file(folder / "config.json", missing)) return {};
  const Json whole = Json::parse(read_file(folder / "config.json"), nullptr, /*allow_exceptions=*/false);
  return whole.is_object() && whole.contains("config") ? whole["config"] : Json();
}

}  // namespace

bool take_in_run(Sqlite& database, const fs::path& folder) {
  const std::string stamp = folder_stamp(folder);
  const Json record = read_record(folder), config = read_config(folder);
  if (record.empty()) return false;
  const std::string id = folder.filename();

  Statement known = database.prepare("SELECT journal_bytes, journal_tail FROM runs WHERE id = ?");
  int64_t bytes_before = 0;
  std::string tail_before;
  if (known.bind(1, id).step()) {
    bytes_before = known.integer(0), tail_before = known.text(1);
  } else {
    database.prepare("INSERT INTO runs(id, state) VALUES (?, 'waiting')").bind(1, id).run();
  }
  known.reset();

  database.prepare("DELETE FROM attempts WHERE run = ?").bind(1, id).run();
  const Attempts attempts = store_attempts(database, id, record);
  int64_t numbered = attempts.count;
  for (const fs::path& copy : copy_folders(folder))
    numbered = store_attempts(database, id, read_record(copy), copy.filename(), numbered).count;
  const fs::path journal = folder / "metrics.jsonl";
  const bool goes_on = !tail_before.empty() && journal_tail(journal, bytes_before) == tail_before;
  const int64_t journal_bytes = store_metrics(database, id, journal, goes_on ? bytes_before : 0);

  RunRow row{{"id", id},
             {"parent", value_at(record, "parent")},
             {"kind", value_at(record, "kind")},
             {"state", effective_state(folder, record)},
             {"seed", value_at(record, "seed")},
             {"error", value_at(record, "error")},
             {"updated_at", value_at(record, "updated_at")},
             {"seconds", attempts.seconds},
             {"gpus", attempts.gpus},
             {"gpu_seconds", attempts.gpu_seconds},
             {"device", attempts.device},
             {"host", attempts.host},
             {"git_commit", attempts.git_commit},
             {"started_at", attempts.started_at},
             {"attempts", attempts.count},
             {"journal_bytes", journal_bytes},
             {"journal_tail", journal_tail(journal, journal_bytes)},
             {"stamp", stamp}};
  const Json summary = record.value("summary", Json::object());
  for (const char* column : kSummaryColumns) row.emplace_back(column, value_at(summary, column));
  append_config_columns(row, config);
  upsert_run(database, row);
  store_config_values(database, id, config);
  store_artifacts(database, id, folder);
  return true;
}

}  // namespace simmim
