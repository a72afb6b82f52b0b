#include "cli/commands.h"
#include "cli/config_request.h"
#include "cli/engine_command.h"
#include "cli/output.h"
#include "cli/schema.h"
#include "core/error.h"

namespace simmim {

Command mask_command() {
  return {"mask", "Use", "preview of masks: the ratio reached and AvgDist", [](Args& args) {
            struct Options {
              std::vector<std::string> words;
              std::string drawn, output;
              std::optional<int64_t> count;
            };
            auto options = std::make_shared<Options>();
            args.example("simmim mask mask.name=blockwise mask.ratio=0.4 --count 16 -o masks.png");
            args.positional("RECIPE|key=value", options->words, "a recipe, and leaves of the configuration");
            args.option("-o,--output", "FILE", options->output, "a picture of them");
            args.option("--count", "N", options->count, "how many masks (default 8)");
            args.option("--mask", "FILE", options->drawn, "measure this one: a greyscale PNG, white = masked");
            args.notes([] {
              return "avg_dist: mean over hidden pixels of the distance to the nearest visible one, in pixels; nothing "
                     "outside the image counts as visible (the paper does not say).\n\n" +
                     section_options_text({"seed", "data", "encoder", "mask"});
            });
            return [options, common = args.shared_common()] {
              Json request = config_request("mask", config_layers("mask", split_words(options->words)), *common);
              if (!options->drawn.empty() && options->count)
                fail(Code::usage, "mask: --count draws masks and --mask reads one; give one of the two");
              if (!options->drawn.empty()) request["mask"] = options->drawn;
              request["count"] = options->count.value_or(8);
              if (!options->output.empty()) request["output"] = output_file(options->output, "", {".png"});
              return run_engine_command(
                  {.title = "mask", .request = request, .next = "simmim pretrain --dry-run with the same keys"},
                  *common);
            };
          }};
}

}  // namespace simmim
