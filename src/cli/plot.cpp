#include "cli/commands.h"
#include "core/error.h"

namespace simmim {

Command plot_command() {
  return {"plot", "Look", "curves and heat maps", [](Args&) {
            return []() -> int { fail(Code::usage, "plot: not in this version"); };
          }};
}

}  // namespace simmim
