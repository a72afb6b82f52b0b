#include "cli/commands.h"
#include "cli/config_request.h"
#include "cli/engine_command.h"
#include "cli/schema.h"
#include "core/error.h"
#include "core/names.h"

namespace simmim {
namespace {

const std::vector<std::string> kFormats = {"safetensors", "simmim", "timm", "hf"};

// transformers load a folder, torch.load a .pth file; a pipe or a device is what it is.
void check_output(const std::string& format, const fs::path& output) {
  std::error_code ignored;
  const bool device = output == "-" || (fs::exists(output, ignored) && fs::is_other(output, ignored));
  const std::string suffix = output.extension();
  if (!device && suffix != ".safetensors" && format != "hf" && !(format == "simmim" && suffix == ".pth"))
    fail(Code::usage, "-o: '{}' does not suit --format {}; allowed: a .safetensors file{}", output.string(), format,
         format == "simmim" ? " or a .pth file" : "");
}

}  // namespace

Command export_command() {
  return {"export", "Use", "a model's weights under the names of SimMIM's code, timm or transformers", [](Args& args) {
            struct Options {
              std::vector<std::string> words;
              std::string from, format = "safetensors", output;
            };
            auto options = std::make_shared<Options>();
            args.example("simmim export --from latest --format hf -o my-model");
            args.example("simmim export --from latest --format timm -o encoder.safetensors");
            args.option("--from", "RUN|FILE", options->from, "a trained run or a checkpoint of any kind");
            args.option("--format", "NAME", options->format,
                        "safetensors: our own, the default; simmim: official names and buffers (.safetensors or .pth); "
                        "timm: Beit, Swin or Swin V2; hf: those of transformers",
                        kFormats);
            args.option("-o,--output", "FILE", options->output,
                        "the file; with hf a folder for from_pretrained, or a .safetensors file alone");
            args.positional("key=value", options->words, "another size, for example data.image_size=224");
            args.notes([] { return section_options_text({"data", "encoder"}); });
            return [options, common = args.shared_common()] {
              const ConfigWords words = split_words(options->words);
              if (options->from.empty()) fail(Code::usage, "export: --from is missing; give a run or a checkpoint");
              if (options->output.empty()) fail(Code::usage, "export: -o is missing; give the file to write");
              if (!words.plain.empty())
                fail(Code::usage, "export: unexpected argument '{}'; allowed: key=value", words.plain[0]);
              check_output(options->format, options->output);
              Json request = config_request("export", config_layers("export", {{}, words.overrides}), *common);
              request["from"] = options->from;
              request["format"] = options->format;
              request["output"] = options->output;
              return run_engine_command(
                  {.title = "export", .request = request, .next = fmt::format("simmim inspect {}", options->output)},
                  *common);
            };
          }};
}

Command import_command() {
  return {"import", "Use", "weights of SimMIM's code, timm or transformers as a checkpoint of ours", [](Args& args) {
            struct Options {
              std::vector<std::string> words;
              std::string output;
            };
            auto options = std::make_shared<Options>();
            args.example("simmim import simmim_pretrain__vit_base__img224__800ep.pth -o vit_base.safetensors");
            args.option("-o,--output", "FILE", options->output, "the .safetensors file (default: FILE's name with it)");
            args.positional("FILE|key=value", options->words,
                            "a .pth or .safetensors file or a folder of transformers; what it does not say, for "
                            "example data.image_size=192");
            args.notes([] { return section_options_text({"data", "encoder"}); });
            return [options, common = args.shared_common()] {
              const ConfigWords words = split_words(options->words);
              if (words.plain.size() != 1) fail(Code::usage, "import: give one checkpoint file");
              const fs::path input = words.plain[0];
              std::error_code ignored;
              if (!fs::exists(input, ignored)) fail(Code::data, "{}: no such file", input.string());
              fs::path output = options->output;
              if (output.empty())
                output =
                    (input.has_filename() ? input : input.parent_path()).filename().replace_extension(".safetensors");
              check_output("safetensors", output);
              if (fs::equivalent(input, output, ignored))
                fail(Code::usage, "import: {} would be overwritten by what is made of it; give another file with -o",
                     input.string());
              Json request = config_request("export", config_layers("import", {{}, words.overrides}), *common);
              request["from"] = input.string();
              request["output"] = output.string();
              return run_engine_command({.title = "import",
                                         .request = request,
                                         .next = fmt::format("simmim finetune --from {}", output.string())},
                                        *common);
            };
          }};
}

}  // namespace simmim
