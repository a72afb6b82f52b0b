#include "weights/inspect.h"

#include "commands/commands.h"

namespace simmim {

Json inspect_command(const Json& request, const EventSink&) {
  const std::string file = request.at("file");
  std::error_code ignored;
  if (fs::exists(file, ignored)) return describe_file(TensorFile::open(file));
  return describe_file(
      TensorFile::open(run_path(request.value("out", "results"), resolve_run(request.value("out", "results"), file)) /
                       "final.safetensors"));
}

}  // namespace simmim
