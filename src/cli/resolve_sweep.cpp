#include "cli/resolve_sweep.h"

#include <fmt/format.h>

#include <set>

#include "cli/dry_run.h"
#include "cli/engine_client.h"
#include "cli/terminal.h"

namespace simmim {
namespace {

void warn_once(const std::string& sentence) {
  static std::set<std::string> said;
  if (said.insert(sentence).second) warn(sentence);
}

}  // namespace

Json resolve_sweep(const SweepFile& sweep, const PlanOptions& options, bool measure, const CommonOptions& common) {
  for (const std::string& sentence : sweep.warnings) warn_once(sentence);
  Json resolved = resolve_cells(sweep, options, [&](const std::vector<Json>& requests) {
    say(common.quiet, fmt::format("{}: checking {}{} ...", sweep.name, counted(requests.size(), "chain"),
                                  measure ? ", measuring this machine's speed" : ""));
    return engine_call({{"command", "resolve"},
                        {"requests", requests},
                        {"measure", measure},
                        {"out", common.out},
                        {"db", common.database().string()}})
        .at("results")
        .get<std::vector<Json>>();
  });
  for (const Json& sentence : resolved.at("warnings")) warn_once(sentence);
  return resolved;
}

}  // namespace simmim
