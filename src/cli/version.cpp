#include "cli/commands.h"
#include "cli/document.h"
#include "runs/schema.h"

namespace simmim {

Command version_command() {
  return {"version", "Program", "the version of the program", [](Args& args) {
            args.example("simmim version --json");
            return [common = args.shared_common()] {
              print_document(
                  {{"simmim", SIMMIM_VERSION}, {"database_schema", kSchemaVersion}, {"compiler", "g++ " __VERSION__}},
                  common->json);
              return 0;
            };
          }};
}

}  // namespace simmim
