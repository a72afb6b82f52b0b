#include "cli/commands.h"
#include "cli/config_request.h"
#include "cli/engine_command.h"
#include "core/error.h"

namespace simmim {

Command predict_command() {
  return {"predict", "Use", "classes of images", [](Args& args) {
            struct Options {
              std::vector<std::string> words;
              std::string from;
            };
            auto options = std::make_shared<Options>();
            args.example("simmim predict --from latest cat.jpg photos/");
            args.example("simmim predict --from latest val:0-7 --json");
            args.option("--from", "RUN|FILE", options->from, "a fine-tuned run or checkpoint");
            args.positional("IMAGE|key=value", options->words, "a file, a folder, or val:0-7 of the data set");
            return [options, common = args.shared_common()] {
              const ConfigWords words = split_words(options->words);
              if (options->from.empty()) fail(Code::usage, "predict: --from is missing; give a fine-tuned run or a checkpoint");
              if (words.plain.empty()) fail(Code::usage, "predict: no image; give files, folders or val:0-7");
              Json request = config_request("predict", config_layers("predict", {{}, words.overrides}), *common);
              request["from"] = options->from;
              request["images"] = words.plain;
              return run_engine_command({.title = "predict", .request = request}, *common);
            };
          }};
}

}  // namespace simmim
