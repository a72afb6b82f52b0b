#include "parity/parity.h"

#include "commands/commands.h"

namespace simmim {

Json parity_command(const Json& request, const EventSink& sink) {
  const fs::path folder = request.at("golden").get<std::string>();
  const GoldenFiles golden(folder);
  Json rows = compare_all(golden, [&](size_t done, size_t parts) {
    sink({{"event", "progress"}, {"step", done}, {"steps", parts}});
  });
  int64_t values = 0, failed = 0;
  for (const Json& row : rows) {
    values += row["values"].get<int64_t>();
    failed += !row["ok"].get<bool>();
  }
  return {{"golden", folder.string()},
          {"official", golden.expected().at("versions").at("official")},
          {"compared", values},
          {"failed", failed},
          {"rows", std::move(rows)}};
}

}  // namespace simmim
