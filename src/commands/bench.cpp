#include "commands/commands.h"
#include "core/error.h"
#include "train/bench.h"

namespace simmim {

Json bench_command(const Json& request, const EventSink&) {
  const std::string what = request.at("what");
  if (what == "step") return bench_step(model_config(resolve_request(request), request.value("stage", "pretrain")));
  fail(Code::usage, "bench: unknown measurement '{}'; known: step or loader", what);
}

}  // namespace simmim
