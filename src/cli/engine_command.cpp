#include "cli/engine_command.h"

#include "cli/document.h"
#include "cli/engine_client.h"
#include "cli/run_display.h"
#include "core/error.h"

namespace simmim {

int run_engine_command(const EngineCommand& command, const CommonOptions& common) {
  RunDisplay display(command.title, common.quiet);
  const Json answer = engine_call(command.request, [&](const Json& event) { display.event(event); });
  display.finish();
  print_document(common.json || !command.readable ? answer : command.readable(answer), common.json);
  std::fflush(stdout);
  const bool interrupted = answer.is_object() && answer.value("state", "") == "interrupted";
  if (interrupted)
    hint(common, "the same command again goes on from there");
  else if (!command.next.empty())
    hint(common, command.next);
  return static_cast<int>(interrupted ? Code::interrupted : Code::ok);
}

}  // namespace simmim
