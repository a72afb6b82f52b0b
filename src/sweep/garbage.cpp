#include "sweep/garbage.h"

#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <set>

#include "core/error.h"
#include "core/json.h"
#include "runs/run_folder.h"
#include "weights/tensor_file.h"

namespace simmim {
namespace {

// What stays because something names it.
struct Named {
  std::set<std::string> planned, parents;  // run ids
  std::set<std::string> weights;           // "RUN/FILE" of runs that start from a file of another
  std::string targets;                     // all target blocks, as text
  bool fits_centers = false;               // some target is fitted with centres of OUT/shared

  void add(const Json& entry) {  // a run's config.json, or its entry in a plan
    if (!entry.is_object()) return;
    if (const auto it = entry.find("parent"); it != entry.end() && it->is_string()) parents.insert(*it);
    if (const auto it = entry.find("weights"); it != entry.end() && it->is_string()) {
      const fs::path file = it->get<std::string>();
      weights.insert(file.parent_path().filename() / file.filename());
    }
    const Json* target = find_path(entry, "config.target");
    if (target == nullptr) return;
    targets += target->dump();
    fits_centers = fits_centers || target->value("centers", Json()) == "fit";
  }
};

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> paths;
  std::error_code missing;
  for (const auto& entry : fs::directory_iterator(folder, missing)) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  return paths;
}

Json parsed(const fs::path& file) {
  std::error_code missing;
  return fs::is_regular_file(file, missing) ? Json::parse(read_file(file), nullptr, /*allow_exceptions=*/false)
                                            : Json();
}

Named find_named(const fs::path& out) {
  Named named;
  for (const fs::path& run : entries_of(runs_folder(out))) named.add(parsed(run / "config.json"));
  for (const fs::path& sweep : entries_of(sweeps_folder(out)))
    for (const fs::path& file : entries_of(sweep)) {
      const Json plan = parsed(file);
      if (!plan.is_object() || !plan.contains("runs")) continue;
      for (const auto& [id, entry] : plan["runs"].items()) {
        named.planned.insert(id);
        named.add(entry);
      }
    }
  return named;
}

uint64_t bytes_of(const fs::path& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return fs::hard_link_count(path, error) > 1 ? 0 : fs::file_size(path, error);
  uint64_t sum = 0;
  for (const fs::path& entry : entries_of(path)) sum += bytes_of(entry);
  return sum;
}

// "run.json.tmp4711" of write_file_atomically: the process that writes it; 0 for another name.
pid_t writer_of(const fs::path& path) {
  const std::string name = path.filename();
  const size_t at = name.rfind(".tmp");
  if (at == std::string::npos || at + 4 == name.size()) return 0;
  if (name.find_first_not_of("0123456789", at + 4) != std::string::npos) return 0;
  return std::atoi(name.c_str() + at + 4);
}

bool is_alive(pid_t pid) { return ::kill(pid, 0) == 0 || errno == EPERM; }

bool is_optimizer(const std::pair<std::string, TensorView>& tensor) { return tensor.first.starts_with("opt."); }

class Collector {
 public:
  Collector(const fs::path& out, const GarbageOptions& options)
      : out_(out), options_(options), named_(find_named(out)) {}

  std::vector<Garbage> collect() {
    look_for_temporaries(out_);
    for (const fs::path& sweep : entries_of(sweeps_folder(out_)))
      is_half_made(sweep) ? found(sweep, "an unfinished copy") : look_for_temporaries(sweep);
    for (const fs::path& run : entries_of(runs_folder(out_)))
      is_half_made(run) ? found(run, "an unfinished copy") : look_at_run(run);
    look_at_shared();
    return std::move(found_);
  }

 private:
  // Copies of folders take this name until they are whole (db merge), and folders before they are deleted.
  static bool is_half_made(const fs::path& path) { return path.filename().string().starts_with(".tmp-"); }

  void found(const fs::path& path, const std::string& why) {
    found_.push_back({path, bytes_of(path), why});
    if (!options_.remove) return;
    std::error_code error;
    fs::remove_all(path, error);
    if (error) fail(Code::data, "{}: cannot be removed: {}; see who owns it", path.string(), error.message());
  }

  void look_for_temporaries(const fs::path& folder) {
    for (const fs::path& path : entries_of(folder))
      if (const pid_t writer = writer_of(path); writer > 0 && !is_alive(writer))
        found(path, "a temporary file of a process that is gone");
  }

  void look_at_run(const fs::path& run) {
    std::error_code error;
    if (!fs::is_directory(run, error) || is_locked(run / "lock") || is_young(run)) return;
    std::optional<FileLock> lock;
    if (options_.remove) lock = FileLock::try_lock(run / "lock");
    if (options_.remove && !lock) return;
    const std::string id = run.filename();
    const Json record = read_record(run);
    if (record.value("state", "") == "failed" && failed_of_itself(record) && !named_.planned.contains(id) &&
        !named_.parents.contains(id)) {
      remove_run(run);
      return;
    }
    for (const fs::path& path : {run, run / "crash"})
      for (const fs::path& entry : entries_of(path))  // whoever held the lock is gone, whatever has its number now
        if (writer_of(entry) > 0) found(entry, "a temporary file of a process that is gone");
    for (const fs::path& copy : entries_of(run / "copies"))
      if (is_half_made(copy)) found(copy, "an unfinished copy");
    if (record.value("state", "") == "done" && fs::exists(run / "final.safetensors", error)) look_at_finished(run);
  }

  bool is_young(const fs::path& run) const {
    if (options_.older_than_days <= 0) return false;
    std::error_code missing;
    const auto age = fs::file_time_type::clock::now() - fs::last_write_time(run / "run.json", missing);
    return missing || age < std::chrono::duration<double>(options_.older_than_days * 86400);
  }

  // Without disk, data or memory a run ends through no fault of its own: the same command takes it up again.
  static bool failed_of_itself(const Json& record) {
    const Json attempts = record.value("attempts", Json::array());
    const Json code = attempts.empty() ? Json() : attempts.back().value("exit_code", Json());
    return code != static_cast<int>(Code::data) && code != static_cast<int>(Code::device);
  }

  // Its name goes first, so that nobody ever meets half a run.
  void remove_run(const fs::path& run) {
    found_.push_back({run, bytes_of(run), "a failed run of no sweep, which no run started from"});
    if (!options_.remove) return;
    const fs::path away = run.parent_path() / (".tmp-" + run.filename().string());
    std::error_code error;
    fs::rename(run, away, error);
    if (!error) fs::remove_all(away, error);
    if (error) fail(Code::data, "{}: cannot be removed: {}; see who owns it", run.string(), error.message());
  }

  void look_at_finished(const fs::path& run) {
    const auto is_named = [&](const fs::path& file) {
      return named_.weights.contains(run.filename() / file.filename());
    };
    for (const fs::path& path : entries_of(run)) {
      const std::string name = path.filename();
      if (name == "crash")
        found(path, "reports of bad steps of a run that finished");
      else if (name == "last.safetensors" && !is_named(path))
        trim(path);
      else if (name.starts_with("epoch-") && name.ends_with(".safetensors") && !is_named(path))
        found(path, "weights of an epoch that no run started from");
    }
  }

  void trim(const fs::path& path) {
    const TensorFile file = TensorFile::open(path);
    uint64_t bytes = 0;
    for (const auto& tensor : file.tensors()) bytes += is_optimizer(tensor) ? tensor.second.bytes.size() : 0;
    if (bytes == 0) return;
    found_.push_back({path, bytes, "the optimizer's state of a finished run"});
    if (!options_.remove) return;
    NamedViews kept = file.tensors();
    std::erase_if(kept, is_optimizer);
    write_safetensors(path, kept, file.metadata());
  }

  void look_at_shared() {
    const fs::path folder = out_ / "shared";
    look_for_temporaries(folder);
    if (named_.fits_centers) return;
    for (const fs::path& path : entries_of(folder)) {
      const std::string name = path.filename(), stem = path.stem();
      const bool used = is_locked(folder / (stem + ".lock")) || named_.targets.find(stem + ".") != std::string::npos;
      if (!used && writer_of(path) == 0) found(path, "a shared file that no run and no plan reads");
    }
  }

  const fs::path& out_;
  const GarbageOptions& options_;
  const Named named_;
  std::vector<Garbage> found_;
};

}  // namespace

std::vector<Garbage> collect_garbage(const fs::path& out, const GarbageOptions& options) {
  std::optional<FileLock> lock;
  if (options.remove && fs::is_directory(runs_folder(out))) lock = lock_folders(out);
  return Collector(out, options).collect();
}

}  // namespace simmim
