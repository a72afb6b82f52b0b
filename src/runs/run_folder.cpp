#include "runs/run_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <thread>

#include "core/error.h"

namespace simmim {
namespace {

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// How long a run on another host may be silent before it counts as lost; heartbeats come every 30 s.
constexpr double kSilenceSeconds = 600;

bool silent_elsewhere(const fs::path& lock) {
  struct stat status {};
  if (::stat(lock.c_str(), &status) != 0) return true;
  return std::difftime(std::time(nullptr), status.st_mtime) > kSilenceSeconds;
}

// Seconds of the last line of a journal, what a killed attempt is known to have worked.
double journal_seconds(const fs::path& journal) {
  double seconds = 0;
  read_journal(journal, 0, [&](const Json& line) {
    if (const auto it = line.find("seconds"); it != line.end() && it->is_number()) seconds = it->get<double>();
  });
  return seconds;
}

}  // namespace

const std::vector<std::string>& run_states() {
  static const std::vector<std::string> states{"waiting",     "running", "done",   "failed",
                                               "interrupted", "lost",    "stopped"};
  return states;
}

fs::path runs_folder(const fs::path& out) { return out / "runs"; }
fs::path run_path(const fs::path& out, const std::string& id) { return out / "runs" / id; }
fs::path sweeps_folder(const fs::path& out) { return out / "sweeps"; }

fs::path database_path(const fs::path& out, const std::string& db) {
  if (!db.empty()) return db;
  const char* environment = std::getenv("SIMMIM_DB");
  return environment != nullptr && *environment != '\0' ? fs::path(environment) : out / "simmim.db";
}

std::string utc_now() {
  const auto now = std::chrono::system_clock::now();
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
  return fmt::format("{}.{:03}Z", text, ms);
}

double utc_seconds(std::string_view utc) {
  std::tm parts{};
  const std::string text(utc);
  const char* rest = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (rest == nullptr) return std::nan("");
  return static_cast<double>(::timegm(&parts)) + (*rest == '.' ? std::strtod(rest, nullptr) : 0.0);
}

std::string host_name() {
  char name[256] = "";
  ::gethostname(name, sizeof name - 1);
  return name;
}

Json read_record(const fs::path& folder) {
  std::error_code missing;
  const fs::path path = folder / "run.json";
  if (!fs::is_regular_file(path, missing)) return Json::object();
  try {
    const Json record = Json::parse(read_file(path), nullptr, /*allow_exceptions=*/false);
    return record.is_object() ? record : Json::object();
  } catch (const Error&) {  // deleted meanwhile, or not ours to read
    return Json::object();
  }
}

FileLock lock_folders(const fs::path& out) {
  if (auto lock = FileLock::try_lock(runs_folder(out) / ".lock")) return std::move(*lock);
  fail(Code::run_failed, "{}: another gc or merge works here; try again when it is done", out.string());
}

std::string effective_state(const fs::path& folder, const Json& record) {
  const std::string state = record.value("state", "waiting");
  if (state != "running") return state;
  const auto attempts = record.find("attempts");
  const bool here = attempts == record.end() || attempts->empty() || attempts->back().value("host", "") == host_name();
  const bool gone = here ? !is_locked(folder / "lock") : silent_elsewhere(folder / "lock");
  return gone ? "lost" : state;
}

RunFolder::RunFolder(std::string id, fs::path path, FileLock lock)
    : id_(std::move(id)), path_(std::move(path)), lock_(std::move(lock)), record_(read_record(path_)) {}

std::optional<RunFolder> RunFolder::claim(const fs::path& out, const std::string& id) {
  const fs::path path = run_path(out, id);
  make_folder(path);
  // Someone who only looks (is_locked) holds the lock for a moment; that must not cost us the run.
  for (int tries = 0; tries < 20; ++tries) {
    if (auto lock = FileLock::try_lock(path / "lock")) return RunFolder(id, path, std::move(*lock));
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return std::nullopt;
}

void RunFolder::replace_record(Json record) {
  record["id"] = id_;
  record["updated_at"] = utc_now();
  write_file_atomically(file("run.json"), record.dump(1) + "\n");
  record_ = std::move(record);
}

void RunFolder::write_config(const Json& config) { write_file_atomically(file("config.json"), config.dump(1) + "\n"); }

void RunFolder::begin_attempt(const std::string& kind, const std::string& parent, int64_t seed, const Json& facts) {
  Json record = record_;
  record["id"] = id_;
  record["kind"] = kind;
  record["parent"] = parent.empty() ? Json() : Json(parent);
  record["state"] = "running";
  record["seed"] = seed;
  Json attempts = record.value("attempts", Json::array());
  double before = 0;  // a journal's seconds run on over all attempts
  for (Json& attempt : attempts) {
    if (attempt.value("state", "") == "running") {
      attempt["state"] = "lost";
      attempt["seconds"] = std::max(attempt.value("seconds", 0.0), journal_seconds(file("metrics.jsonl")) - before);
    }
    before += attempt.value("seconds", 0.0);
  }
  Json attempt = {
      {"host", host_name()}, {"pid", ::getpid()}, {"started_at", utc_now()}, {"state", "running"}, {"seconds", 0.0}};
  if (facts.is_object()) attempt.update(facts);
  attempts.push_back(std::move(attempt));
  record["attempts"] = std::move(attempts);
  if (!record.contains("summary")) record["summary"] = Json::object();
  record.erase("error");
  attempt_began_ = steady_seconds();
  replace_record(std::move(record));
}

void RunFolder::update_summary(const Json& summary) {
  Json record = record_;
  record["summary"].update(summary);
  if (Json& attempts = record["attempts"]; !attempts.empty())
    attempts.back()["seconds"] = steady_seconds() - attempt_began_;
  replace_record(std::move(record));
}

void RunFolder::end_attempt(const std::string& state, int exit_code, const std::string& error) {
  Json record = record_;
  record["state"] = state;
  if (error.empty())
    record.erase("error");
  else
    record["error"] = error;
  if (Json& attempts = record["attempts"]; !attempts.empty()) {
    Json& attempt = attempts.back();
    attempt["state"] = state;
    attempt["ended_at"] = utc_now();
    attempt["seconds"] = steady_seconds() - attempt_began_;
    attempt["exit_code"] = exit_code;
    if (!error.empty()) attempt["error"] = error;
  }
  replace_record(std::move(record));
}

Journal& RunFolder::open_journal(std::optional<uint64_t> keep_bytes) {
  return journal_.emplace(file("metrics.jsonl"), keep_bytes);
}

Journal& RunFolder::journal() {
  SIMMIM_CHECK(journal_, "the journal of {} is not open", id_);
  return *journal_;
}

void RunFolder::log(std::string_view line) {
  const int descriptor = ::open(file("log.txt").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor < 0) return;
  const std::string text = fmt::format("{} {}\n", utc_now(), line);
  [[maybe_unused]] const ssize_t ignored = ::write(descriptor, text.data(), text.size());
  ::close(descriptor);
}

void RunFolder::heartbeat() {
  const double now = steady_seconds();
  if (now - last_beat_ < 30) return;
  last_beat_ = now;
  ::utimensat(AT_FDCWD, file("lock").c_str(), nullptr, 0);
}

}  // namespace simmim
