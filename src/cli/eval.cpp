#include "cli/commands.h"
#include "cli/config_request.h"
#include "cli/engine_command.h"
#include "core/error.h"

namespace simmim {

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
            return [options, common = args.shared_common()] {
              if (options->from.empty()) fail(Code::usage, "eval: --from is missing; give a fine-tuned run or a checkpoint");
              Json request = config_request("eval", config_layers("eval", split_words(options->words)), *common);
              request["from"] = options->from;
              return run_engine_command({.title = "eval", .request = request, .next = "simmim runs kind=eval"}, *common);
            };
          }};
}

}  // namespace simmim
