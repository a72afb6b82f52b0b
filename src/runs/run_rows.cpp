#include "runs/run_rows.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "core/names.h"

namespace simmim {
namespace {

// The columns of `runs` that come straight from the configuration, and where they stand in it.
const std::vector<std::pair<const char*, const char*>>& config_columns() {
  static const std::vector<std::pair<const char*, const char*>> columns{
      {"method", "method.name"},    {"encoder", "encoder.name"},
      {"mask", "mask.name"},        {"mask_patch", "mask.patch"},
      {"mask_ratio", "mask.ratio"}, {"head", "head.name"},
      {"target", "target.name"},    {"target_resolution", "target.resolution"},
      {"loss", "loss.name"},        {"area", "loss.area"},
      {"dataset", "data.name"},     {"precision", "precision"}};
  return columns;
}

}  // namespace

Value value_at(const Json& root, std::string_view path) {
  const Json* found = find_path(root, path);
  return found == nullptr ? Value() : to_value(*found);
}

void append_config_columns(RunRow& row, const Json& config) {
  for (const auto& [column, path] : config_columns()) row.emplace_back(column, value_at(config, path));
  for (auto& [column, value] : row)
    if (column == "target_resolution" && value == Value("auto")) value = value_at(config, "data.image_size");
}

void upsert_run(Sqlite& database, const RunRow& row) {
  std::vector<std::string> names, updates;
  for (const auto& [name, value] : row) {
    names.push_back(name);
    if (name != "id") updates.push_back(name + "=excluded." + name);
  }
  std::string places = "?";
  for (size_t i = 1; i < row.size(); ++i) places += ",?";
  Statement insert = database.prepare(fmt::format("INSERT INTO runs({}) VALUES ({}) ON CONFLICT(id) DO UPDATE SET {}",
                                                  join(names, ","), places, join(updates, ",")));
  for (size_t i = 0; i < row.size(); ++i) insert.bind(static_cast<int>(i) + 1, row[i].second);
  insert.run();
}

void store_config_values(Sqlite& database, const std::string& run, const Json& config) {
  Statement known = database.prepare("SELECT value FROM config_values WHERE key = '' AND run = ?");
  const bool was_known = known.bind(1, run).step();
  const std::string before = was_known ? known.text(0) : "", now = config.is_null() ? "" : config.dump();
  known.reset();
  if (before == now) return;
  Statement remove = database.prepare("DELETE FROM config_values WHERE key = ? AND run = ?");
  if (was_known) {
    for (const auto& [key, value] : leaves(Json::parse(before, nullptr, /*allow_exceptions=*/false)))
      remove.bind_all(key, run).run();
    remove.bind_all("", run).run();
  }
  if (config.is_null()) return;
  Statement insert = database.prepare("INSERT OR REPLACE INTO config_values(key, run, value) VALUES (?, ?, ?)");
  for (const auto& [key, value] : leaves(config)) insert.bind_all(key, run, to_value(value)).run();
  insert.bind_all("", run, now).run();
}

void forget_run(Sqlite& database, const std::string& run) {
  store_config_values(database, run, nullptr);
  for (const char* sql : {"DELETE FROM metrics WHERE run = ?", "DELETE FROM runs WHERE id = ?"})
    database.prepare(sql).bind(1, run).run();
}

std::string file_stamp(int folder, const std::string& path) {
  struct stat status {};
  if (::fstatat(folder, path.c_str(), &status, 0) != 0) return "-";
  return fmt::format("{}.{}:{}:{}", status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_size, status.st_ino);
}

}  // namespace simmim
