#include "report/bench_database.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <functional>

#include "report/table.h"
#include "runs/database.h"
#include "runs/ingest.h"
#include "runs/query.h"
#include "runs/run_folder.h"
#include "runs/status.h"
#include "runs/take_in.h"

namespace simmim {
namespace {

constexpr int64_t kCells = 100, kSeeds = 3;  // of the sweep that the table shows; the other runs belong to none

// About as many leaves as a real configuration has.
Json sample_config(const std::string& stage, int64_t patch, double ratio, int64_t seed) {
  Json config = {{"stage", stage},
                 {"seed", seed},
                 {"precision", "f32"},
                 {"method", {{"name", "simmim"}}},
                 {"data", {{"name", "fashion_mnist"}, {"image_size", 32}}},
                 {"encoder", {{"name", "vit"}, {"preset", "vit_nano"}}}};
  if (stage == "pretrain")
    config.update({{"mask", {{"name", "random"}, {"patch", patch}, {"ratio", ratio}}},
                   {"head", {{"name", "linear"}}},
                   {"target", {{"name", "pixels"}}},
                   {"loss", {{"name", "l1"}, {"area", "masked"}}}});
  for (int i = 0; i < 40; ++i) config[stage][fmt::format("option_{}", i)] = 0.5 * i;
  return config;
}

struct Filler {
  Sqlite& database;
  const fs::path& out;
  int64_t metrics_per_run;
  Statement run = database.prepare(
      "INSERT INTO runs(id, parent, kind, state, seed, encoder, mask, mask_patch, mask_ratio, dataset, val_top1, "
      "test_top1, train_loss, "
      "seconds, gpus, gpu_seconds, images_seen, steps, started_at, attempts, stamp) "
      "VALUES (?,?,?,'done',?,'vit',?,?,?,'fashion_mnist',?,?,0.3,100,1,100,60000,500,'2026-01-01T00:00:00.000Z',1,?)");
  Statement leaf = database.prepare("INSERT INTO config_values(key, run, value) VALUES (?, ?, ?)");
  Statement metric = database.prepare("INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?)");

  void add(const std::string& id, const std::string& parent, const std::string& kind, int64_t seed, int64_t patch,
           double ratio) {
    const fs::path folder = run_path(out, id);
    fs::create_directories(folder);
    for (const char* name : {"run.json", "config.json", "metrics.jsonl"})
      std::ofstream(folder / name) << "{\"state\": \"done\"}\n";
    const Json config = sample_config(kind, patch, ratio, seed);
    const bool pretrain = kind == "pretrain";
    const double top1 = 80 + ratio + 0.1 * static_cast<double>((seed * 7 + patch * 13) % 11);
    run.bind_all(id, parent.empty() ? Value() : Value(parent), kind, seed, pretrain ? Value("random") : Value(),
                 pretrain ? Value(patch) : Value(), pretrain ? Value(ratio) : Value(), pretrain ? Value() : Value(top1),
                 pretrain ? Value() : Value(top1 - 0.3), folder_stamp(folder))
        .run();
    for (const auto& [key, value] : leaves(config)) leaf.bind_all(key, id, to_value(value)).run();
    leaf.bind_all("", id, config.dump()).run();
    for (int64_t step = 0; step < metrics_per_run; ++step) {
      const std::string key = step % 2 == 0 ? "loss" : "lr";
      metric.bind_all(id, key, step / 2, 0.01 * static_cast<double>(step), 1.0 / static_cast<double>(step + 1), 0.1)
          .run();
    }
  }
};

Json one_plan() {
  Json cells = Json::array(), seeds = Json::array();
  for (int64_t seed = 0; seed < kSeeds; ++seed) seeds.push_back(seed);
  for (int64_t cell = 0; cell < kCells; ++cell) {
    Json chains = Json::array();
    for (int64_t seed = 0; seed < kSeeds; ++seed) {
      const int64_t run = 2 * (cell * kSeeds + seed);
      chains.push_back({{"seed", seed},
                        {"runs",
                         {{{"stage", "pretrain"}, {"id", fmt::format("r{:06}", run)}},
                          {{"stage", "finetune"}, {"id", fmt::format("r{:06}", run + 1)}}}}});
    }
    const Json values = {{"mask.patch", cell / 10}, {"mask.ratio", 0.05 * static_cast<double>(cell % 10)}};
    cells.push_back({{"cell", fmt::format("mask.patch={} mask.ratio={}", cell / 10, number_text(values["mask.ratio"]))},
                     {"values", values},
                     {"chains", chains}});
  }
  return {{"name", "bench"},
          {"revision", 1},
          {"axes", {"mask.patch", "mask.ratio"}},
          {"seeds", seeds},
          {"cells", cells},
          {"runs", Json::object()},
          {"table",
           {{"rows", "mask.patch"},
            {"columns", "mask.ratio"},
            {"value", "finetune.val.top1"},
            {"baseline", {{"mask.patch", 0}, {"mask.ratio", 0}}}}}};
}

Json timed(const std::string& what, int repeats, const std::function<void()>& action) {
  std::vector<double> times;
  for (int i = 0; i < repeats; ++i) {
    const auto start = std::chrono::steady_clock::now();
    action();
    times.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(times.begin(), times.end());
  return {{"what", what}, {"milliseconds", times[times.size() / 2]}, {"worst", times.back()}};
}

}  // namespace

Json bench_database(const fs::path& folder, const DatabaseBench& size,
                    const std::function<void(int64_t runs)>& on_filled) {
  const fs::path path = folder / "simmim.db";
  Json rows = Json::array();
  rows.push_back(timed(fmt::format("filling {} runs, {} metric rows", size.runs, size.metrics), 1, [&] {
    Sqlite database = open_for_writing(path);
    Transaction transaction(database);
    Filler filler{database, folder, size.metrics / size.runs};
    for (int64_t i = 0; i < size.runs; ++i) {
      const int64_t chain = i / 2, cell = chain / kSeeds % kCells;
      filler.add(fmt::format("r{:06}", i), i % 2 == 0 ? "" : fmt::format("r{:06}", i - 1),
                 i % 2 == 0 ? "pretrain" : "finetune", chain % kSeeds, cell / 10,
                 0.05 * static_cast<double>(cell % 10));
      if (on_filled && (i + 1) % std::max<int64_t>(1, size.runs / 10) == 0) on_filled(i + 1);
    }
    transaction.commit();
    write_file_atomically(
        (make_folder(sweeps_folder(folder) / "bench"), sweeps_folder(folder) / "bench" / "plan-1.json"),
        one_plan().dump());
  }));
  if (const std::string trouble = ingest_changes(path, folder); !trouble.empty()) fail(Code::database, "{}", trouble);

  const auto open = [&] { return open_for_reading(path, folder); };
  rows.push_back(timed("runs", size.repeats, [&] { list_runs(open(), {}); }));
  rows.push_back(timed("runs 'mask.ratio=0.25 top1>80' --sort -top1", size.repeats,
                       [&] { list_runs(open(), {.where = "mask.ratio=0.25 top1>80", .sort = "-top1"}); }));
  rows.push_back(
      timed("runs 'finetune.option_7<9'", size.repeats, [&] { list_runs(open(), {.where = "finetune.option_7<9"}); }));
  rows.push_back(timed("show", size.repeats, [&] { describe_run(open(), folder, "r000001"); }));
  rows.push_back(timed("query avg by mask_ratio", size.repeats,
                       [&] { query(open(), "SELECT mask_ratio, avg(val_top1) FROM results GROUP BY 1"); }));
  rows.push_back(timed("query one curve", size.repeats,
                       [&] { query(open(), "SELECT * FROM curves WHERE run = 'r000077' AND key = 'loss'"); }));
  rows.push_back(timed("query cells", size.repeats, [&] { query(open(), "SELECT * FROM cells"); }));
  const auto look = [&] {  // table and status look for changed folders first
    if (!ingest_changes(path, folder).empty()) fail(Code::database, "bench database: taking in failed");
  };
  rows.push_back(timed("looking for changed folders", size.repeats, look));
  rows.push_back(timed("table of 600 runs, looking included", size.repeats,
                       [&] { look(), render_table(make_table(open(), "bench", {}), "text"); }));
  rows.push_back(timed("status, looking included", size.repeats, [&] { look(), read_status(open(), "", folder); }));
  return rows;
}

}  // namespace simmim
