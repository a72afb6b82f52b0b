#include "cli/sweep_local.h"

#include <algorithm>
#include <cstdio>

#include "cli/dry_run.h"
#include "cli/engine_client.h"
#include "cli/sweep_display.h"
#include "core/error.h"
#include "core/recipes.h"
#include "runs/database.h"
#include "runs/estimate.h"
#include "runs/ingest.h"
#include "runs/run_folder.h"

namespace simmim {
namespace {

double positive_number(const std::string& text, const std::string& where) {
  const Json value = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!value.is_number() || !(value.get<double>() > 0))
    fail(Code::usage, "{}: got {}; allowed: a number above 0", where, text);
  return value.get<double>();
}

// Seconds that a run still takes, as those before it took, the ones of this very sweep among them.
std::function<double(const std::string&)> time_left(const Json& plan, const CommonOptions& common) {
  struct Known {
    History history;
    double at = -kNever;
  };
  return [&plan, &common, known = std::make_shared<Known>()](const std::string& run) {
    if (const double now = steady_seconds(); now > known->at + 10) {
      known->at = now;
      try {
        known->history = read_history(open_for_reading(common.database(), ""), common.out);
      } catch (const Error&) {  // what was known stands: a broken or locked database stops no sweep
      }
    }
    const Json& entry = plan.at("runs").at(run);
    const double steps = entry.value("plan", Json::object()).value("steps", 0.0);
    const Json summary = read_record(run_path(common.out, run)).value("summary", Json::object());
    const double done = steps > 0 ? summary.value("steps", 0.0) / steps : 0;
    return estimate_time(entry, known->history).seconds * std::max(0.0, 1 - done);
  };
}

}  // namespace

double deadline_of(const std::string& hours, const SweepFile& sweep) {
  if (!hours.empty()) return steady_seconds() + 3600 * positive_number(hours, "--hours");
  if (!sweep.resources.contains("hours")) return kNever;
  return steady_seconds() + 3600 * positive_number(sweep.resources["hours"].dump(), "sweep.resources.hours");
}

SweepOutcome sweep_here(const LocalSweep& sweep, const CommonOptions& common) {
  const Json& plan = sweep.frozen.plan;
  const PlanState state = plan_state(plan, sweep.runs, common.out, sweep.retry_failed);
  say(common.quiet, fmt::format("sweep {} (plan {}): {}; {}", plan["name"].get<std::string>(), plan["revision"].dump(),
                                runs_text(plan, state), sweep.shares.text()));
  // Not the plan alone: a run that was done when an earlier call was killed may not be in the database yet.
  if (const std::string trouble = ingest_changes(common.database(), common.out); !trouble.empty()) warn(trouble);
  const double hung_after = 60.0 * static_cast<double>(sweep.hung_after);
  LocalOptions local{.out = common.out,
                     .database = common.database(),
                     .plan_file = sweep.frozen.file,
                     .worker = {program_path().string(), "worker"},
                     .selected = sweep.longest_first ? longest_first(plan, sweep.runs) : sweep.runs,
                     .jobs = sweep.shares.jobs,
                     .threads = sweep.shares.threads,
                     .retry_failed = sweep.retry_failed,
                     .max_failures = sweep.max_failures,
                     .interrupts = interrupts,
                     .gpus = sweep.shares.gpus,
                     .deadline = sweep.deadline,
                     .silence = hung_after > 0 ? hung_after : kNever,
                     .seconds_left = time_left(plan, common)};
  catch_signals();
  SweepDisplay display(plan, sweep.runs, state.reused, common.quiet);
  SweepOutcome outcome = run_local(plan, local, display);
  display.finish();
  return outcome;
}

int report_outcome(const Json& plan, const SweepOutcome& outcome, const CommonOptions& common) {
  const std::string name = plan.at("name");
  if (common.json)
    fmt::print("{}\n", Json({{"sweep", name},
                             {"revision", plan["revision"]},
                             {"done", outcome.done},
                             {"reused", outcome.reused},
                             {"failed", outcome.failed},
                             {"stopped", outcome.stopped},
                             {"blocked", outcome.blocked},
                             {"left", outcome.left},
                             {"interrupted", outcome.interrupted},
                             {"out_of_time", outcome.out_of_time}})
                           .dump());
  else
    fmt::print("sweep {}: {} done, {} reused, {} failed, {}{} not runnable, {} left\n", name, outcome.done.size(),
               outcome.reused.size(), outcome.failed.size(),
               outcome.stopped.empty() ? "" : fmt::format("{} stopped, ", outcome.stopped.size()),
               outcome.blocked.size(), outcome.left.size());
  std::fflush(stdout);
  for (const std::string& run : outcome.failed)
    say(common.quiet, fmt::format("failed: {}  {}", run, run_title(plan, run)));
  if (!outcome.failed.empty()) say(common.quiet, "once the cause is gone: " + common.command_line + " --retry-failed");
  if (outcome.interrupted || outcome.out_of_time) {
    say(common.quiet,
        fmt::format("{}; go on with: {}", outcome.out_of_time ? "out of time, all is saved" : "stopped and saved",
                    common.command_line));
    return static_cast<int>(Code::interrupted);
  }
  if (!outcome.failed.empty() || !outcome.left.empty()) {  // a run blocked by one that was stopped is as wanted
    if (!outcome.failed.empty()) hint(common, fmt::format("simmim log {} --why", outcome.failed[0]));
    return static_cast<int>(Code::some_failed);
  }
  hint(common, "simmim table " + name);
  return 0;
}

}  // namespace simmim
