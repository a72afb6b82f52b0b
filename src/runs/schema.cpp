#include "runs/schema.h"

#include "core/names.h"
#include "runs/paper.h"

namespace simmim {
namespace {

// The whole configuration stands in config_values under the key '', not in `runs`: so lists of runs read little.
constexpr const char* kSchema = R"sql(
CREATE TABLE schema_version (version INTEGER NOT NULL);
CREATE TABLE runs (
  id TEXT PRIMARY KEY, parent TEXT, kind TEXT, state TEXT NOT NULL, seed INTEGER,
  method TEXT, encoder TEXT, mask TEXT, mask_patch INTEGER, mask_ratio REAL, head TEXT, target TEXT,
  target_resolution INTEGER, loss TEXT, area TEXT, dataset TEXT,
  parameters INTEGER, epochs REAL, steps INTEGER, images_seen INTEGER,
  val_top1 REAL, test_top1 REAL, test_top5 REAL, best_epoch REAL, train_loss REAL, val_loss REAL,
  images_per_second REAL, seconds REAL, gpus INTEGER, gpu_seconds REAL, skipped_steps INTEGER,
  val_images INTEGER, test_images INTEGER,   -- that the accuracies were measured on
  device TEXT, precision TEXT, host TEXT, git_commit TEXT, started_at TEXT, updated_at TEXT, error TEXT,
  attempts INTEGER NOT NULL DEFAULT 0,       -- at the last taking in, as are:
  journal_bytes INTEGER NOT NULL DEFAULT 0,  -- how far the journal was read
  stamp TEXT,                                -- what run.json looked like; null: never begun
  journal_tail TEXT);                        -- hash of the end of what was read of the journal
CREATE INDEX runs_by_parent ON runs(parent);
CREATE INDEX runs_running ON runs(id) WHERE state = 'running';
CREATE TABLE attempts (
  run TEXT NOT NULL REFERENCES runs(id) ON DELETE CASCADE, attempt INTEGER NOT NULL,
  host TEXT, pid INTEGER, started_at TEXT, ended_at TEXT, state TEXT, exit_code INTEGER, error TEXT, seconds REAL,
  device TEXT, gpus INTEGER, threads INTEGER, environment TEXT REFERENCES environments(id),
  copy TEXT,  -- null: of this run; else of the copy that merging left beside it (runs/ID/copies)
  PRIMARY KEY (run, attempt)) WITHOUT ROWID;
CREATE TABLE environments (id TEXT PRIMARY KEY, facts TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE config_values (
  key TEXT NOT NULL, run TEXT NOT NULL, value,  -- dotted leaf; '' for the whole; no foreign key: nothing seeks by run
  PRIMARY KEY (key, run)) WITHOUT ROWID;
CREATE TABLE metrics (
  run TEXT NOT NULL, key TEXT NOT NULL, step INTEGER NOT NULL, epoch REAL, value REAL, seconds REAL,
  PRIMARY KEY (run, key, step)) WITHOUT ROWID;
CREATE TABLE metric_summary (
  run TEXT NOT NULL REFERENCES runs(id) ON DELETE CASCADE, key TEXT NOT NULL, count INTEGER, first REAL, last REAL,
  min REAL, max REAL, min_step INTEGER, max_step INTEGER,
  PRIMARY KEY (run, key)) WITHOUT ROWID;
CREATE TABLE artifacts (
  run TEXT NOT NULL REFERENCES runs(id) ON DELETE CASCADE, path TEXT NOT NULL, bytes INTEGER,
  PRIMARY KEY (run, path)) WITHOUT ROWID;
CREATE TABLE sweeps (
  name TEXT PRIMARY KEY, revision INTEGER NOT NULL, about TEXT, file TEXT, threads INTEGER, axes TEXT, seeds TEXT,
  "table" TEXT, paper TEXT, stamp TEXT) WITHOUT ROWID;
CREATE TABLE sweep_cells (
  sweep TEXT NOT NULL REFERENCES sweeps(name) ON DELETE CASCADE, position INTEGER NOT NULL, cell TEXT NOT NULL,
  seed INTEGER NOT NULL, stage TEXT NOT NULL, run TEXT NOT NULL,
  "values" TEXT,   -- axis -> value, JSON
  paper TEXT,      -- the cell of paper_values that holds under the same conditions, or null
  PRIMARY KEY (sweep, position, seed, stage, run)) WITHOUT ROWID;
CREATE INDEX sweep_cells_by_run ON sweep_cells(run);
CREATE TABLE paper_values (
  "table" TEXT NOT NULL, cell TEXT NOT NULL, stage TEXT NOT NULL, metric TEXT NOT NULL, value REAL,
  verified INTEGER NOT NULL, source TEXT,
  PRIMARY KEY ("table", cell, stage, metric)) WITHOUT ROWID;
)sql";

// What brings the tables of version i + 1 to version i + 2; the views are made anew each time. A released step never
// changes.
constexpr const char* kSteps[] = {
    "ALTER TABLE attempts ADD COLUMN copy TEXT; ALTER TABLE runs ADD COLUMN journal_tail TEXT"};
static_assert(std::size(kSteps) == kSchemaVersion - 1);

// A fine-tuning, probe or eval row carries the axes of the pre-training it comes from: p is the parent, g and h its
// parents. $STATE$ is r.state, or what the locks say (results_with_ended_runs).
constexpr const char* kResults = R"sql(
SELECT r.id AS run, r.parent, r.kind, $STATE$ AS state, r.seed,
  coalesce(r.method, p.method, g.method) AS method, r.encoder,
  coalesce(r.mask, p.mask, g.mask) AS mask, coalesce(r.mask_patch, p.mask_patch, g.mask_patch) AS mask_patch,
  coalesce(r.mask_ratio, p.mask_ratio, g.mask_ratio) AS mask_ratio, coalesce(r.head, p.head, g.head) AS head,
  coalesce(r.target, p.target, g.target) AS target,
  coalesce(r.target_resolution, p.target_resolution, g.target_resolution) AS target_resolution,
  coalesce(r.loss, p.loss, g.loss) AS loss, coalesce(r.area, p.area, g.area) AS area, r.dataset,
  r.parameters, r.epochs, r.steps, r.images_seen, r.val_top1, r.test_top1, r.test_top5, r.best_epoch, r.train_loss,
  r.val_loss, r.images_per_second, r.seconds, r.gpus, r.gpu_seconds / 3600 AS gpu_hours,
  (r.gpu_seconds + coalesce(p.gpu_seconds, 0) + coalesce(g.gpu_seconds, 0) + coalesce(h.gpu_seconds, 0)) / 3600
    AS chain_gpu_hours,
  r.skipped_steps, r.device, r.precision, r.host, r.git_commit, r.started_at, r.error,
  (SELECT c.value FROM main.config_values c WHERE c.key = '' AND c.run = r.id) AS config
FROM main.runs r LEFT JOIN main.runs p ON p.id = r.parent LEFT JOIN main.runs g ON g.id = p.parent
  LEFT JOIN main.runs h ON h.id = g.parent
)sql";

// Seeds first (several fine-tunings of one chain are averaged and count once), then the cell. The square root is
// Newton's, because plain SQLite has none.
constexpr const char* kOtherViews = R"sql(
CREATE VIEW members AS SELECT sweep, cell, seed, stage, run FROM sweep_cells;
CREATE VIEW curves AS SELECT run, key, step, epoch, value, seconds FROM metrics;
CREATE VIEW cells AS
WITH
  metric_of(stage, metric) AS (VALUES ('pretrain', 'val.loss'), ('pretrain', 'train.loss'),
    ('finetune', 'val.top1'), ('finetune', 'test.top1'), ('finetune', 'test.top5'), ('finetune', 'train.loss'),
    ('probe', 'val.top1'), ('probe', 'test.top1'), ('probe', 'test.top5'),
    ('eval', 'test.top1'), ('eval', 'test.top5')),
  by_seed AS (
    SELECT c.sweep, c.cell, c.position, c.stage, m.metric, c.seed, max(c.paper) AS paper,
      CASE WHEN count(*) = sum(r.state = 'done') THEN avg(CASE m.metric WHEN 'val.top1' THEN r.val_top1
        WHEN 'test.top1' THEN r.test_top1 WHEN 'test.top5' THEN r.test_top5 WHEN 'val.loss' THEN r.val_loss
        ELSE r.train_loss END) END AS value,
      max(r.state IN ('failed', 'lost', 'stopped')) AS failed
    FROM sweep_cells c JOIN metric_of m ON m.stage = c.stage LEFT JOIN runs r ON r.id = c.run
    GROUP BY c.sweep, c.position, c.stage, m.metric, c.seed),
  by_cell AS (
    SELECT sweep, cell, position, stage, metric, avg(value) AS mean, count(value) AS n, count(*) AS planned,
      coalesce(sum(failed), 0) AS failed, max(paper) AS paper
    FROM by_seed GROUP BY sweep, position, stage, metric),
  spread AS (
    SELECT c.*, CASE WHEN c.n > 1 THEN (SELECT sum((s.value - c.mean) * (s.value - c.mean)) / (c.n - 1) FROM by_seed s
      WHERE s.sweep = c.sweep AND s.position = c.position AND s.stage = c.stage AND s.metric = c.metric) END AS variance
    FROM by_cell c)
SELECT sweep, cell, stage, metric, mean,
  CASE WHEN variance IS NULL THEN NULL WHEN variance <= 0 THEN 0.0 ELSE
    (WITH RECURSIVE root(x, k) AS (SELECT max(variance, 1.0), 0
       UNION ALL SELECT 0.5 * (x + variance / x), k + 1 FROM root WHERE k < 60)
     SELECT x FROM root WHERE k = 60) END AS std,
  n, planned, failed,
  (SELECT v.value FROM paper_values v JOIN sweeps w ON w.name = spread.sweep
     WHERE v."table" = w.paper AND v.cell = spread.paper AND v.stage = spread.stage AND v.metric = spread.metric)
    AS paper
FROM spread ORDER BY sweep, position, stage, metric;
)sql";

std::string results_view(const std::string& state) {
  std::string text = kResults;
  text.replace(text.find("$STATE$"), 7, state);
  return text;
}

// What is the program's own and not the folders': views, the paper's values, the version.
void create_fixed_parts(Sqlite& database) {
  database.execute("CREATE VIEW results AS " + results_view("r.state"));
  database.execute(kOtherViews);
  Statement insert = database.prepare(R"(INSERT INTO paper_values VALUES (?, ?, ?, ?, ?, ?, ?))");
  for (const PaperValue& value : paper_values())
    insert
        .bind_all(value.table, value.cell, value.stage, value.metric, value.value, int64_t{value.verified},
                  value.source)
        .run();
  database.prepare("INSERT INTO schema_version VALUES (?)").bind(1, kSchemaVersion).run();
}

void drop(Sqlite& database, const std::string& types) {
  std::vector<std::string> drops;
  Statement names =
      database.prepare("SELECT type, name FROM sqlite_master WHERE type IN (" + types + ") ORDER BY type DESC");
  while (names.step()) drops.push_back(fmt::format("DROP {} \"{}\"", names.text(0), names.text(1)));
  names.reset();
  for (const std::string& sql : drops) database.execute(sql);
}

}  // namespace

int64_t schema_version(const Sqlite& database) {
  Statement exists = database.prepare("SELECT count(*) FROM sqlite_master WHERE name = 'schema_version'");
  exists.step();
  if (exists.integer(0) == 0) return 0;
  Statement version = database.prepare("SELECT max(version) FROM schema_version");
  version.step();
  const int64_t found = version.integer(0);
  if (found > kSchemaVersion)
    fail(Code::database,
         "{}: written by a newer simmim (schema {}, this one knows {}); use that version, another file (--db), or "
         "`simmim db rebuild` to make the index anew from the run folders",
         database.where(), found, kSchemaVersion);
  return found;
}

void create_schema(Sqlite& database) {
  database.execute(kSchema);
  create_fixed_parts(database);
}

void drop_schema(Sqlite& database) { drop(database, "'view', 'table'"); }

void migrate_schema(Sqlite& database, int64_t from) {
  drop(database, "'view'");
  for (size_t step = static_cast<size_t>(from) - 1; step < std::size(kSteps); ++step) database.execute(kSteps[step]);
  database.execute("DELETE FROM paper_values; DELETE FROM schema_version");
  create_fixed_parts(database);
}

std::string results_with_ended_runs() {
  return results_view("coalesce((SELECT e.state FROM temp.ended e WHERE e.run = r.id), r.state)");
}

const std::vector<std::string>& result_columns() {
  static const std::vector<std::string> columns = split(
      "run parent kind state seed method encoder mask mask_patch mask_ratio head target target_resolution loss area "
      "dataset parameters epochs steps images_seen val_top1 test_top1 test_top5 best_epoch train_loss val_loss "
      "images_per_second seconds gpus gpu_hours chain_gpu_hours skipped_steps device precision host git_commit "
      "started_at error config",
      ' ');
  return columns;
}

}  // namespace simmim
