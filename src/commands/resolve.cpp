#include "commands/commands.h"
#include "core/error.h"
#include "core/site.h"
#include "train/bench.h"
#include "train/run.h"

namespace simmim {

fs::path site_data_folder() { return read_site().data; }

ResolveRequest resolve_request(const Json& request) {
  return {.layers = layers_of(request.value("layers", Json::array())),
          .stages = request.value("stages", std::vector<std::string>{}),
          .from = request.value("from", ""),
          .out = request.value("out", "results"),
          .site_data = site_data_folder(),
          .force = request.value("force", false)};
}

Json resolve_command(const Json& request, const EventSink&) {
  const bool measure = request.value("measure", false);
  const auto resolve_one = [&](const Json& one) {
    std::vector<std::string> warnings;
    Json stages = resolve_stages(resolve_request(one), warnings);
    for (Json& stage : stages)
      if (measure) stage["plan"]["gflops"] = expected_gflops(stage["config"]);
    return Json{{"stages", std::move(stages)}, {"warnings", warnings}};
  };
  if (!request.contains("requests")) return resolve_one(request);
  Json results = Json::array();
  for (Json one : request["requests"]) {
    if (!one.contains("out")) one["out"] = request.value("out", "results");
    try {
      results.push_back(resolve_one(one));
    } catch (const Error& error) {
      results.push_back({{"error", error.what()}, {"code", static_cast<int>(error.code())}});
    }
  }
  return {{"results", std::move(results)}};
}

Json run_command(const Json& request, const EventSink& sink) {
  return run_stage(request.value("stage", Json()),
                   {.out = request.value("out", "results"),
                    .database = request.at("db").get<std::string>(),
                    .site_data = site_data_folder(),
                    .commit = request.value("commit", ""),
                    .threads = request.value("threads", 0),
                    .fresh = request.value("fresh", false)},
                   sink);
}

Json join_command(const Json&, const EventSink&) {
  this_group().join(this_launch());
  return Json::object();
}

Json leave_command(const Json&, const EventSink&) {
  this_group().leave();
  return Json::object();
}

}  // namespace simmim
