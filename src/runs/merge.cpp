#include "runs/merge.h"

#include <fcntl.h>
#include <stdio.h>

#include <algorithm>
#include <set>

#include "core/error.h"
#include "core/hash.h"
#include "runs/run_folder.h"

namespace simmim {
namespace {

std::vector<fs::path> folders_in(const fs::path& folder) {
  std::vector<fs::path> paths;
  std::error_code missing;
  for (const auto& entry : fs::directory_iterator(folder, missing))
    if (entry.is_directory(missing) && !entry.path().filename().string().starts_with('.'))
      paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  return paths;
}

bool is_passing(const fs::path& file) {  // locks and temporary files are no part of a run
  return file.filename() == "lock" || file.filename().string().find(".tmp") != std::string::npos;
}

bool same_bytes(const fs::path& a, const fs::path& b) {
  std::error_code error;
  return fs::is_regular_file(a, error) && fs::is_regular_file(b, error) &&
         MappedFile(a).bytes() == MappedFile(b).bytes();
}

// Every file of `from` that is not the same, byte for byte, under its name in `known`.
void copy_files(const fs::path& from, const fs::path& to, const fs::path& known = "") {
  make_folder(to);
  for (const auto& entry : fs::recursive_directory_iterator(from)) {
    const fs::path name = entry.path().lexically_relative(from);
    if (entry.is_directory() || is_passing(name) || (!known.empty() && same_bytes(entry.path(), known / name)))
      continue;
    make_folder((to / name).parent_path());
    write_file_atomically(to / name, MappedFile(entry.path()).bytes());
  }
}

// A folder under its final name, whole: `fill` writes into one that is renamed.
template <class Fill>
void make_whole(const fs::path& folder, const Fill& fill) {
  const fs::path temporary = folder.parent_path() / (".tmp-" + folder.filename().string());
  fs::remove_all(temporary);
  make_folder(temporary);
  fill(temporary);
  fs::rename(temporary, folder);
}

// Of equal runs equal, whenever and wherever they ran.
bool is_result(const std::string& key) {
  static const std::set<std::string> measured = {"seconds", "images_per_second", "peak_memory"};
  return !measured.contains(key);
}

Json summary_of(const Json& record) { return record.value("summary", Json::object()); }

Json differences_of(const Json& ours, const Json& theirs) {
  Json out = Json::array();
  Json both = ours;
  both.update(theirs);
  for (const auto& [key, ignored] : both.items()) {
    const Json here = ours.value(key, Json()), there = theirs.value(key, Json());
    if (!is_result(key) || here == there) continue;
    Json row = {{"key", key}, {"here", here}, {"there", there}, {"difference", nullptr}};
    if (here.is_number() && there.is_number()) row["difference"] = there.get<double>() - here.get<double>();
    out.push_back(std::move(row));
  }
  return out;
}

bool is_done(const Json& record) { return record.value("state", "") == "done"; }

class Merge {
 public:
  Merge(const fs::path& from, const fs::path& out) : from_(from), out_(out) {}

  Json work() {
    for (const fs::path& run : folders_in(runs_folder(from_))) take_over_run(run);
    for (const fs::path& sweep : folders_in(sweeps_folder(from_))) take_over_sweep(sweep);
    return {{"taken_over", taken_},  {"already_here", known_},     {"copies", copies_},
            {"replaced", replaced_}, {"still_running", running_},  {"sweeps", sweeps_},
            {"changed", changed_},   {"differences", differences_}};
  }

 private:
  void take_over_run(const fs::path& theirs) {
    const fs::path ours = runs_folder(out_) / theirs.filename();
    if (is_locked(theirs / "lock") || is_locked(ours / "lock")) {
      ++running_;
      return;
    }
    const Json their_record = read_record(theirs), our_record = read_record(ours);
    if (their_record.empty()) return;  // never begun
    std::error_code missing;
    if (!fs::exists(ours, missing)) {
      make_whole(ours, [&](const fs::path& folder) { copy_files(theirs, folder); });
      ++taken_;
      changed_.push_back(ours.filename().string());
      return;
    }
    const Json differ = differences_of(summary_of(our_record), summary_of(their_record));
    const bool as_here = is_done(our_record) == is_done(their_record) && differ.empty() &&
                         same_bytes(theirs / "final.safetensors", ours / "final.safetensors");
    const fs::path copy = ours / "copies" / hash_hex(canonical(their_record)).substr(0, 12);
    if (as_here || canonical(our_record) == canonical(their_record) || fs::exists(copy, missing)) {
      ++known_;
      return;
    }
    if (our_record.empty() || (is_done(their_record) && !is_done(our_record))) {
      replace(theirs, ours, our_record);
      ++(our_record.empty() ? taken_ : replaced_);
    } else {
      make_folder(copy.parent_path());
      make_whole(copy, [&](const fs::path& folder) { copy_files(theirs, folder, ours); });
      ++copies_;
      for (Json row : differ) {
        row["run"] = ours.filename().string();
        differences_.push_back(std::move(row));
      }
    }
    changed_.push_back(ours.filename().string());
  }

  // Theirs, with ours among its copies, changes places with ours in one step; only then is ours deleted.
  static void replace(const fs::path& theirs, const fs::path& ours, const Json& our_record) {
    const auto lock = FileLock::try_lock(ours / "lock");
    if (!lock) return;
    const fs::path temporary = ours.parent_path() / (".tmp-" + ours.filename().string());
    fs::remove_all(temporary);
    copy_files(theirs, temporary);
    if (fs::exists(ours / "copies")) copy_files(ours / "copies", temporary / "copies");
    if (!our_record.empty())
      copy_files(ours, temporary / "copies" / hash_hex(canonical(our_record)).substr(0, 12), temporary);
    if (::renameat2(AT_FDCWD, temporary.c_str(), AT_FDCWD, ours.c_str(), RENAME_EXCHANGE) != 0)
      fail(Code::data, "{}: this file system cannot exchange two folders; delete the unfinished run {} and merge again",
           ours.string(), ours.filename().string());
    fs::remove_all(temporary);
  }

  // What a plan says, whatever its name, revision and the place of its file.
  static std::string meaning(Json plan) {
    for (const char* key : {"name", "revision", "file"}) plan.erase(key);
    return canonical(plan);
  }

  bool is_known(const std::string& sweep, const std::string& plan) const {
    std::error_code missing;
    for (const auto& file : fs::directory_iterator(sweeps_folder(out_) / sweep, missing)) {
      const Json ours = Json::parse(read_file(file.path()), nullptr, /*allow_exceptions=*/false);
      if (ours.is_object() && meaning(ours) == plan) return true;
    }
    return false;
  }

  void take_over_sweep(const fs::path& theirs) {
    const std::string name = theirs.filename();
    auto plan = read_plan(from_, name);
    if (!plan) return;
    std::error_code missing;
    std::string target = name;
    for (int n = 1; fs::exists(sweeps_folder(out_) / target, missing); ++n) {
      if (is_known(target, meaning(*plan))) return;
      target = fmt::format("{}-merged{}", name, n == 1 ? "" : std::to_string(n));
    }
    (*plan)["name"] = target;
    make_folder(sweeps_folder(out_));
    make_whole(sweeps_folder(out_) / target, [&](const fs::path& folder) {
      write_file_atomically(folder / fmt::format("plan-{}.json", (*plan)["revision"].dump()), plan->dump(1) + "\n");
    });
    sweeps_.push_back(target);
  }

  const fs::path &from_, &out_;
  int64_t taken_ = 0, known_ = 0, copies_ = 0, replaced_ = 0, running_ = 0;
  Json sweeps_ = Json::array(), changed_ = Json::array(), differences_ = Json::array();
};

}  // namespace

Json merge_results(const fs::path& from, const fs::path& out) {
  std::error_code error;
  if (!fs::is_directory(runs_folder(from), error))
    fail(Code::usage, "db merge: {} has no runs folder; give a results folder", from.string());
  if (fs::equivalent(from, out, error)) fail(Code::usage, "db merge: {} is this results folder itself", from.string());
  make_folder(runs_folder(out));
  const FileLock lock = lock_folders(out);
  try {
    return Merge(from, out).work();
  } catch (const fs::filesystem_error& failure) {
    fail(Code::data, "db merge: {}; what is copied so far stays, the same command goes on", failure.what());
  }
}

std::vector<fs::path> copy_folders(const fs::path& run_folder) { return folders_in(run_folder / "copies"); }

Json run_copies(const fs::path& folder) {
  Json copies = Json::array(), differences = Json::array();
  const Json ours = read_record(folder);
  for (const fs::path& path : copy_folders(folder)) {
    const std::string name = path.filename();
    const Json record = read_record(path), attempts = record.value("attempts", Json::array());
    const Json last = attempts.empty() ? Json::object() : attempts.back();
    std::error_code missing;
    copies.push_back({{"copy", name},
                      {"host", last.value("host", "")},
                      {"started_at", last.value("started_at", "")},
                      {"state", record.value("state", "")},
                      {"same_weights", !fs::exists(path / "final.safetensors", missing)}});
    for (const Json& row : differences_of(summary_of(ours), summary_of(record))) {
      differences.push_back({{"copy", name}});
      differences.back().update(row);
    }
  }
  return {{"copies", copies}, {"differences", differences}};
}

}  // namespace simmim
