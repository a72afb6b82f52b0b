// Hidden: one run of a frozen plan, started by the sweep. Events go to descriptor 3 as JSON lines, text to log.txt.
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/engine_client.h"
#include "cli/run_display.h"
#include "core/error.h"
#include "sweep/worker_process.h"

namespace simmim {
namespace {

struct Options {
  std::string plan, run;
  std::optional<int64_t> parent;
};

void send(const Json& event) {
  const std::string line = event.dump() + "\n";
  [[maybe_unused]] const ssize_t written =
      write(kEventDescriptor, line.data(), line.size());  // nobody reads: no matter
}

// A worker must not outlive its sweep, not even one that was killed.
void die_with(std::optional<int64_t> parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (parent && getppid() != *parent) _exit(static_cast<int>(Code::interrupted));
  signal(SIGPIPE, SIG_IGN);
}

int run(const Options& options, const CommonOptions& common) {
  die_with(options.parent);
  try {
    const Json plan = read_json_file(options.plan);
    const auto entry = plan.at("runs").find(options.run);
    if (entry == plan.at("runs").end()) fail(Code::usage, "worker: {} has no run {}", options.plan, options.run);
    const int threads = plan.value("threads", 1);
    set_engine_threads(threads);
    const Json answer = engine_call({{"command", "run"},
                                     {"stage", *entry},
                                     {"out", common.out},
                                     {"db", common.database().string()},
                                     {"threads", threads},
                                     {"fresh", false}},
                                    send);
    const std::string state = answer.value("state", "");
    if (state == "done") return 0;
    if (state == "interrupted") return static_cast<int>(Code::interrupted);
    fail(Code::run_failed, "{}", answer.value("error", "the run ended as " + state));
  } catch (const Error& error) {
    if (error.code() != Code::interrupted) send({{"event", "error"}, {"message", error.what()}});
    throw;
  }
}

}  // namespace

Command worker_command() {
  return {"worker", "", "one run of a frozen plan (started by sweep)", [](Args& args) {
            auto options = std::make_shared<Options>();
            args.option("--plan", "FILE", options->plan, "the plan");
            args.option("--run", "ID", options->run, "the run");
            args.option("--parent", "PID", options->parent, "the process to die with");
            return [options, common = args.shared_common()] { return run(*options, *common); };
          }};
}

}  // namespace simmim
