#include "cli/commands.h"
#include "cli/config_request.h"
#include "cli/engine_command.h"
#include "cli/output.h"
#include "cli/schema.h"
#include "core/error.h"

namespace simmim {

Command reconstruct_command() {
  return {
      "reconstruct", "Use", "input, masked, predicted and pasted images side by side", [](Args& args) {
        struct Options {
          std::vector<std::string> words;
          std::string from, mask, output;
        };
        auto options = std::make_shared<Options>();
        args.example("simmim reconstruct --from latest val:0-7 mask.ratio=0.6 -o sheet.png");
        args.option("--from", "RUN|FILE", options->from, "a pre-trained run or checkpoint");
        args.option("--mask", "FILE", options->mask, "a greyscale PNG on the mask grid, white = masked");
        args.option("-o,--output", "FILE", options->output,
                    "the picture (default reconstruction.png): input, hidden, predicted, pasted; classes as the "
                    "colours they stand for, normalised targets with the mean "
                    "and deviation of the input");
        args.positional("IMAGE|key=value", options->words,
                        "a file, a folder, or val:0-7 of the data set (default val:0-7)");
        args.notes([] { return section_options_text({"seed", "device", "precision", "data", "mask"}); });
        return [options, common = args.shared_common()] {
          ConfigWords words = split_words(options->words);
          if (options->from.empty())
            fail(Code::usage, "reconstruct: --from is missing; give a pre-trained run or a checkpoint");
          if (words.plain.empty()) words.plain = {"val:0-7"};
          Json request = config_request("reconstruct", config_layers("reconstruct", {{}, words.overrides}), *common);
          request["from"] = options->from;
          request["images"] = words.plain;
          request["output"] = output_file(options->output, "reconstruction.png", {".png"});
          if (!options->mask.empty()) request["mask"] = options->mask;
          return run_engine_command({.title = "reconstruct", .request = request}, *common);
        };
      }};
}

}  // namespace simmim
