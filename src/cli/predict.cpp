#include "cli/commands.h"
#include "cli/config_request.h"
#include "cli/engine_command.h"
#include "cli/schema.h"
#include "core/error.h"

namespace simmim {
namespace {

// "pullover 71.2 %, coat 20.1 %" instead of objects; the logits only under --json.
Json readable_guesses(const Json& answer) {
  Json rows = Json::array();
  for (const Json& image : answer.at("images")) {
    std::string guesses;
    for (const Json& guess : image.at("top5"))
      guesses += fmt::format("{}{} {:.1f} %", guesses.empty() ? "" : ", ", guess["class"].get<std::string>(),
                             100 * guess["probability"].get<double>());
    rows.push_back({{"image", image.at("image")}, {"class", image.at("class")}, {"most likely", guesses}});
  }
  return rows;
}

}  // namespace

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
            args.notes([] { return section_options_text({"device", "precision", "data"}); });
            return [options, common = args.shared_common()] {
              const ConfigWords words = split_words(options->words);
              if (options->from.empty())
                fail(Code::usage, "predict: --from is missing; give a fine-tuned run or a checkpoint");
              if (words.plain.empty()) fail(Code::usage, "predict: no image; give files, folders or val:0-7");
              Json request = config_request("predict", config_layers("predict", {{}, words.overrides}), *common);
              request["from"] = options->from;
              request["images"] = words.plain;
              return run_engine_command({.title = "predict", .request = request, .readable = readable_guesses},
                                        *common);
            };
          }};
}

}  // namespace simmim
