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
  if (!command.next.empty()) hint(common, command.next);
  return answer.is_object() && answer.value("state", "") == "interrupted" ? static_cast<int>(Code::interrupted) : 0;
}

}  // namespace simmim
