#include "cli/commands.h"
#include "cli/config_request.h"
#include "cli/engine_command.h"
#include "cli/output.h"
#include "cli/schema.h"
#include "core/error.h"
#include "core/names.h"

namespace simmim {

Command data_command() {
  return {"data", "Use",
          "describe a data set, build one from Debian's packages, fit colour clusters, train a tokenizer",
          [](Args& args) {
            struct Options {
              std::vector<std::string> words;
              std::string output;
              std::optional<int64_t> pixels;
            };
            static const std::vector<std::string> actions = {"info", "fetch", "pack", "fit-clusters", "train-dvae"};
            auto options = std::make_shared<Options>();
            args.example("simmim data info data.name=fashion_mnist");
            args.example("simmim data fetch photo_tiles");
            args.example("simmim data pack data.name=image_folder data.root=photos --pixels 256 -o packed");
            args.example("simmim data fit-clusters target.clusters=64 -o centers.npy");
            args.example("simmim data train-dvae data.name=fashion_mnist dvae.vocabulary=512 -o tokenizer.safetensors");
            args.positional("ACTION|key=value", options->words, "what to do, a recipe, and leaves of the configuration",
                            actions);
            args.option("-o,--output", "PATH", options->output, "where to write");
            args.option("--pixels", "SIZE", options->pixels,
                        "pack: as raw pixels, the short side reduced to SIZE: many times as fast to load as JPEGs");
            args.notes([] {
              return section_options_text({"data", "dvae"}) +
                     "fit-clusters also reads target.* of simmim pretrain --help, train-dvae dvae.*\n";
            });
            return [options, common = args.shared_common()] {
              ConfigWords words = split_words(options->words);
              if (words.plain.empty()) fail(Code::usage, "data: give an action: {}", one_of(actions));
              const std::string action = words.plain[0];
              if (std::find(actions.begin(), actions.end(), action) == actions.end())
                fail(Code::usage, "data: unknown action '{}'{}", action, unknown_name_hint(action, actions));
              words.plain.erase(words.plain.begin());
              std::string name;
              if (action == "fetch" && !words.plain.empty())
                name = words.plain[0], words.plain.erase(words.plain.begin());
              Json request = config_request("data", config_layers("data", words), *common);
              request["action"] = action;
              if (!name.empty()) request["name"] = name;
              if (options->pixels) {
                if (action != "pack") fail(Code::usage, "data {}: --pixels is an option of data pack", action);
                if (*options->pixels < 4 || *options->pixels > 4096)
                  fail(Code::usage, "--pixels: got {}; allowed: 4 to 4096", *options->pixels);
                request["pixels"] = *options->pixels;
              }
              if (action == "fit-clusters")
                request["output"] = output_file(options->output, "centers.npy", {".npy", ".safetensors"});
              else if (action == "train-dvae")
                request["output"] = output_file(options->output, "tokenizer.safetensors", {".safetensors"});
              else if (!options->output.empty())
                request["output"] = options->output;
              const std::string next =
                  action != "train-dvae"
                      ? ""
                      : "simmim pretrain target.name=dvae_tokens loss.name=cross_entropy target.tokenizer=" +
                            shell_quoted(request["output"]);
              return run_engine_command({.title = "data " + action, .request = request, .next = next}, *common);
            };
          }};
}

}  // namespace simmim
