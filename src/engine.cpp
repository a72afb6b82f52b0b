// The engine's side of the boundary: requests by name, exceptions turned into exit codes and one sentence.
#include "engine.h"

#include <c10/util/Exception.h>
#include <malloc.h>

#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>

#include "commands/commands.h"
#include "config/sections.h"
#include "core/error.h"
#include "layers/torch.h"

namespace simmim {

extern const char* const kCommit;  // written by scripts/commit.sh

namespace {

struct EngineCommand {
  const char* name;
  Json (*run)(const Json& request, const EventSink& sink);
};
const EngineCommand kCommands[] = {
    {"schema", [](const Json&, const EventSink&) { return describe_schema(); }},
    {"resolve", resolve_command},
    {"run",
     [](const Json& request, const EventSink& sink) {
       Json stamped = request;
       stamped["commit"] = kCommit;
       return run_command(stamped, sink);
     }},
    {"join", join_command},
    {"leave", leave_command},
    {"eval", eval_command},
    {"predict", predict_command},
    {"reconstruct", reconstruct_command},
    {"mask", mask_command},
    {"inspect", inspect_command},
    {"export", export_command},
    {"bench", bench_command},
    {"data", data_command},
    {"parity", parity_command},
};

Json run_request(const Json& request, const EventSink& sink) {
  static const bool once = [] {
    // Loader threads and the engine share the cores; operators never run beside one another.
    at::set_num_interop_threads(1);
    // A step asks for the same large blocks as the step before: kept in the heap, the kernel need not map and clear
    // them anew each time.
    mallopt(M_MMAP_MAX, 0);
    mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
    return true;
  }();
  (void)once;
  if (const int threads = request.value("threads", 0); threads > 0) at::set_num_threads(threads);
  const std::string name = request.at("command");
  for (const EngineCommand& command : kCommands)
    if (name == command.name) return command.run(request, sink);
  fail(Code::usage, "engine: unknown request '{}'; program and engine are of different versions, build both", name);
}

std::pair<Code, std::string> explain(const std::exception& error) {
  if (const auto* ours = dynamic_cast<const Error*>(&error)) return {ours->code(), ours->what()};
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr)
    return {Code::device, "out of memory; use a smaller batch_size, or accumulate=4 to compute the batch in pieces"};
  if (const auto* torch = dynamic_cast<const c10::Error*>(&error)) {
    const std::string text = torch->what_without_backtrace();
    const std::string first = text.substr(0, text.find('\n'));
    if (text.find("out of memory") != std::string::npos || text.find("can't allocate memory") != std::string::npos)
      return {Code::device, first + "; use a smaller batch_size, or accumulate=4 to compute the batch in pieces"};
    return {Code::run_failed, "LibTorch: " + first};
  }
  return {Code::run_failed, error.what()};
}

}  // namespace
}  // namespace simmim

extern "C" {

__attribute__((visibility("default"))) int simmim_engine_call(const char* request_json, simmim_event_fn on_event,
                                                              void* context, char** response_json) {
  simmim::Code code = simmim::Code::ok;
  simmim::Json answer;
  try {
    const simmim::EventSink sink = [&](const simmim::Json& event) {
      if (on_event != nullptr)
        on_event(event.dump(-1, ' ', false, simmim::Json::error_handler_t::replace).c_str(), context);
    };
    answer = simmim::run_request(simmim::parse_json(request_json, "request"), sink);
  } catch (const std::exception& error) {
    const auto [what_code, text] = simmim::explain(error);
    code = what_code;
    answer = {{"error", simmim::this_group().fail_all(code, text)}};
  }
  const std::string text = answer.dump(-1, ' ', false, simmim::Json::error_handler_t::replace);
  *response_json = static_cast<char*>(std::malloc(text.size() + 1));
  std::memcpy(*response_json, text.c_str(), text.size() + 1);
  return static_cast<int>(code);
}

__attribute__((visibility("default"))) void simmim_engine_free(char* response_json) { std::free(response_json); }

__attribute__((visibility("default"))) void simmim_engine_interrupt(void) { simmim::request_interrupt(); }
}
