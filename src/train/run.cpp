#include "train/run.h"

#include <sys/utsname.h>

#include <cstdlib>

#include "core/error.h"
#include "kernels/device.h"
#include "layers/torch.h"
#include "train/stages.h"

namespace simmim {
namespace {

// What the run makes; --fresh takes it away. The lock, the record of attempts and the log stay.
void clear_folder(RunFolder& folder) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder.path(), ignored)) {
    const fs::path path = entry.path();
    if (path.extension() == ".safetensors" || path.extension() == ".png" || path.filename() == "metrics.jsonl" ||
        path.filename() == "crash")
      fs::remove_all(path, ignored);
  }
  Json record = folder.record();
  record["summary"] = Json::object();
  folder.replace_record(record);
}

// The weights that a stage starts from: a file, or its parent's final ones.
fs::path weights_of(const Json& entry, const fs::path& out) {
  if (entry.contains("weights") && entry["weights"].is_string()) return entry["weights"].get<std::string>();
  if (!entry["parent"].is_string()) return {};
  const fs::path file = run_path(out, entry["parent"]) / "final.safetensors";
  if (!fs::exists(file))
    fail(Code::run_failed, "{}: the pre-training {} that this run starts from is not finished; run it first",
         file.string(), entry["parent"].get<std::string>());
  return file;
}

// On a disk that is full this may fail too: what is reported is what came first.
void record_failure(RunFolder& folder, Code code, const char* text) {
  folder.log(text);
  try {
    folder.end_attempt("failed", static_cast<int>(code), text);
  } catch (const Error&) {
  }
}

StageResult run_kind(Session& session, const Json& entry, const RunOptions& options) {
  const std::string kind = entry.at("kind");
  if (kind == "pretrain") return pretrain(session, entry, options.out, options.site_data);
  const fs::path weights = weights_of(entry, options.out);
  if (kind == "finetune") return finetune(session, entry, weights, options.site_data);
  SIMMIM_CHECK(kind == "probe", "no stage {}", kind);
  return probe(session, entry, weights, options.site_data);
}

}  // namespace

Json describe_environment(const std::string& commit) {
  utsname system{};
  uname(&system);
  Json out = {{"program", SIMMIM_VERSION},
              {"commit", commit},
              {"compiler", "g++ " __VERSION__},
              {"libtorch", "2.11.0"},
              {"system", fmt::format("{} {} {}", system.sysname, system.release, system.machine)},
              {"host", host_name()}};
  for (const char* name : {"SLURM_JOB_ID", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID", "SLURM_RESTART_COUNT",
                           "SLURM_JOB_NODELIST", "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS"})
    if (const char* value = std::getenv(name)) out[name] = value;
  return out;
}

namespace {

// One of several processes that is not the first: it learns from that one which run this is.
Json follow_stage(Group& group, const RunOptions& options) {
  Json entry;
  try {
    entry = Json::parse(group.from_first(""));
  } catch (const Control::Ended&) {  // nothing was to be done
    return {{"state", "done"}};
  }
  group.open_wire(rank_device(entry.at("config").at("device"), group.launch().local_rank));
  Session session(run_path(options.out, entry.at("id")), group);
  const bool done = run_kind(session, entry, options).ending == Ending::done;
  return {{"id", session.id()}, {"state", done ? "done" : "interrupted"}};
}

}  // namespace

Json run_stage(const Json& entry, const RunOptions& options, const EventSink& sink) {
  Group& group = this_group();
  if (!group.first()) return follow_stage(group, options);
  const std::string id = entry.at("id");
  std::optional<RunFolder> folder = RunFolder::claim(options.out, id);
  if (!folder)
    fail(Code::run_failed, "run {} is in the hands of another process; see simmim status, or wait for it", id);
  if (folder->record().value("state", "") == "done" && !options.fresh)
    return {{"id", id},
            {"state", "done"},
            {"reused", true},
            {"summary", folder->record().value("summary", Json::object())}};
  if (options.fresh) clear_folder(*folder);
  folder->write_config({{"stage", entry.at("kind")},
                        {"config", entry.at("config")},
                        {"given", entry.at("given")},
                        {"sources", entry.at("sources")},
                        {"parent", entry.at("parent")},
                        {"fingerprint", entry.at("fingerprint")},
                        {"versions", entry.at("versions")},
                        {"unversioned", entry.at("unversioned")},
                        {"weights", entry.at("weights")}});
  const at::Device device = rank_device(entry.at("config").at("device"), group.launch().local_rank);
  const DeviceInfo info = device_info(device);
  Json environment = describe_environment(options.commit);
  environment["device_name"] = info.name;
  environment["capability"] = info.capability;
  environment["driver"] = info.driver;
  environment["processes"] = group.size();
  if (group.many()) environment["launcher"] = group.launch().launcher;
  folder->begin_attempt(entry.at("kind"), entry["parent"].is_string() ? entry["parent"].get<std::string>() : "",
                        entry.at("seed"),
                        {{"device", device.str()},
                         {"gpus", device.is_cpu() ? 0 : group.size()},
                         {"threads", at::get_num_threads()},
                         {"environment", environment}});
  Session session(*folder, options.database, sink, group);
  session.ingest();
  try {
    group.from_first(entry.dump());
    group.open_wire(device);
    Json facts = Json::object();
    for (const char* fact : {"parameters", "flops_per_image", "masked_share"})
      if (entry.at("plan").contains(fact)) facts[fact] = entry["plan"][fact];
    folder->update_summary(facts);
    StageResult result = run_kind(session, entry, options);
    result.summary["peak_memory"] = peak_memory_bytes(device);
    folder->update_summary(result.summary);
    const bool done = result.ending == Ending::done;
    folder->end_attempt(done ? "done" : "interrupted", static_cast<int>(done ? Code::ok : Code::interrupted));
    session.ingest();
    return {{"id", id},
            {"state", done ? "done" : "interrupted"},
            {"summary", folder->record().value("summary", Json::object())}};
  } catch (const Error& error) {
    record_failure(*folder, error.code(), error.what());
    session.ingest();
    throw;
  } catch (const std::exception& error) {
    record_failure(*folder, Code::run_failed, error.what());
    session.ingest();
    throw;
  }
}

}  // namespace simmim
