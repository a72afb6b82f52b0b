#include <algorithm>

#include "cli/commands.h"
#include "cli/config_request.h"
#include "cli/engine_command.h"
#include "cli/schema.h"
#include "core/error.h"

namespace simmim {
namespace {

// The confusion matrix beside the classes: one row a true class, the classes it was taken for with their counts.
Json readable_confusion(const Json& answer) {
  Json out = answer;
  if (!out.contains("confusion") || !out.contains("classes") || !out["classes"].is_array()) return out;
  for (size_t row = 0; row < out["classes"].size(); ++row) {
    std::string taken_for;
    const Json& counts = out["confusion"].at(row);
    std::vector<size_t> order;
    for (size_t column = 0; column < counts.size(); ++column)
      if (column != row && counts[column] > 0) order.push_back(column);
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return counts[a] > counts[b]; });
    for (size_t i = 0; i < std::min<size_t>(3, order.size()); ++i)
      taken_for +=
          fmt::format("{}{} {}", i ? ", " : "", out["classes"][order[i]].value("name", ""), counts[order[i]].dump());
    out["classes"][row]["most often taken for"] = taken_for;
  }
  out.erase("confusion");
  return out;
}

}  // namespace

Command eval_command() {
  return {"eval", "Use", "test accuracy of a fine-tuned run, with each image's prediction", [](Args& args) {
            struct Options {
              std::vector<std::string> words;
              std::string from;
            };
            auto options = std::make_shared<Options>();
            args.example("simmim eval --from latest");
            args.option("--from", "RUN|FILE", options->from, "a fine-tuned run or checkpoint");
            args.positional("RECIPE|key=value", options->words, "other data, for example data.test=FOLDER");
            args.notes([] { return section_options_text({"device", "precision", "data"}); });
            return [options, common = args.shared_common()] {
              if (options->from.empty())
                fail(Code::usage, "eval: --from is missing; give a fine-tuned run or a checkpoint");
              Json request = config_request("eval", config_layers("eval", split_words(options->words)), *common);
              request["from"] = options->from;
              return run_engine_command({.title = "eval",
                                         .request = request,
                                         .next = fmt::format("simmim predict --from {} test:0-7", options->from),
                                         .readable = readable_confusion},
                                        *common);
            };
          }};
}

}  // namespace simmim
