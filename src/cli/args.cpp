#include "cli/args.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "cli/terminal.h"
#include "core/error.h"
#include "core/names.h"
#include "runs/run_folder.h"

namespace simmim {

struct Args::Parser {
  CLI::App app;
};

fs::path CommonOptions::database() const { return database_path(out, db); }

void hint(const CommonOptions& common, const std::string& command) {
  const bool with_out = common.out_given && command.starts_with("simmim ");
  say(common.quiet, "next: " + command + (with_out ? " --out " + shell_quoted(common.out) : ""));
}

Args::Args(std::string command, std::string help)
    : command_(std::move(command)), help_(std::move(help)), parser_(std::make_unique<Parser>()) {
  parser_->app.set_help_flag("-h,--help", "this help");
  if (const char* out = std::getenv("SIMMIM_OUT"); out && *out) common_->out = out;
}

Args::~Args() = default;

void Args::example(std::string line) { examples_.push_back(std::move(line)); }

void Args::flag(const std::string& names, bool& target, std::string help) {
  parser_->app.add_flag(names, target);
  rows_.push_back({names, "", std::move(help), {}});
}

void Args::option(const std::string& names, std::string value, std::string& target, std::string help,
                  std::vector<std::string> choices) {
  parser_->app.add_option_function<std::string>(names, [&target, names, choices](const std::string& text) {
    if (!choices.empty() && std::find(choices.begin(), choices.end(), text) == choices.end())
      fail(Code::usage, "{}: unknown value '{}'{}", names, text, unknown_name_hint(text, choices));
    target = text;
  });
  rows_.push_back({names, std::move(value), std::move(help), std::move(choices)});
}

void Args::option(const std::string& names, std::string value, std::optional<int64_t>& target, std::string help,
                  int64_t min) {
  parser_->app.add_option_function<std::string>(names, [&target, names, min](const std::string& text) {
    char* end = nullptr;
    const int64_t number = std::strtoll(text.c_str(), &end, 10);
    if (text.empty() || *end || number < min)
      fail(Code::usage, "{}: got '{}'; allowed: a whole number from {}", names, text, min);
    target = number;
  });
  rows_.push_back({names, std::move(value), std::move(help), {}});
}

void Args::positional(std::string value, std::string& target, std::string help, std::vector<std::string> choices) {
  parser_->app.add_option(value, target);
  rows_.push_back({"", std::move(value), std::move(help), std::move(choices)});
}

void Args::positional(std::string value, std::vector<std::string>& target, std::string help,
                      std::vector<std::string> choices) {
  parser_->app.add_option(value, target);
  rows_.push_back({"", value + "...", std::move(help), std::move(choices)});
}

bool Args::parse(const std::vector<std::string>& words) {
  option("--out", "DIR", common_->out, "where runs and the database live (default results, or SIMMIM_OUT)");
  option("--db", "FILE", common_->db, "the database (default DIR/simmim.db, or SIMMIM_DB)");
  flag("--json", common_->json, "one JSON document on standard output");
  flag("-q,--quiet", common_->quiet, "no progress, no hints");
  common_->command_line = "simmim " + command_;
  for (const std::string& word : words) {
    common_->command_line += " " + shell_quoted(word);
    common_->out_given |= word == "--out" || word.starts_with("--out=");
  }
  try {
    parser_->app.parse(std::vector<std::string>(words.rbegin(), words.rend()));  // CLI11 takes them from the back
  } catch (const CLI::CallForHelp&) {
    return false;
  } catch (const CLI::ExtrasError&) {
    std::vector<std::string> known;
    for (const Row& row : rows_)
      for (const std::string& name : split(row.names, ','))
        if (name.starts_with("--")) known.push_back(name);
    const std::vector<std::string> extras = parser_->app.remaining();
    const std::string extra = extras.empty() ? "" : extras.front();
    if (extra.starts_with('-'))
      fail(Code::usage, "{}: unknown option {}{}", command_, extra, unknown_name_hint(extra, known));
    fail(Code::usage, "{}: unexpected argument '{}'; see simmim {} --help", command_, extra, command_);
  } catch (const CLI::ParseError& error) {
    fail(Code::usage, "{}: {}; see simmim {} --help", command_, error.what(), command_);
  }
  return true;
}

std::string Args::help_text() const {
  std::string text;
  for (const std::string& example : examples_) text += fmt::format("  {}\n", example);
  if (!examples_.empty()) text = "Example:\n" + text + "\n";
  std::string usage = "Usage: simmim " + command_;
  for (const Row& row : rows_)
    if (row.names.empty()) usage += " [" + row.value + "]";
  text += usage + " [options]\n  " + help_ + "\n\n";
  size_t width = 0;
  const auto left = [](const Row& row) {
    return row.names.empty() ? row.value : row.names + (row.value.empty() ? "" : " " + row.value);
  };
  for (const Row& row : rows_) width = std::max(width, left(row).size());
  for (const Row& row : rows_)
    text += fmt::format("  {:<{}}  {}{}\n", left(row), width, row.help,
                        row.choices.empty() ? "" : ": " + one_of(row.choices));
  if (notes_) text += "\n" + notes_();
  if (manual_) text += "\n" + manual_();
  return text;
}

ConfigWords split_words(const std::vector<std::string>& words) {
  ConfigWords out;
  for (const std::string& word : words) {
    const size_t equals = word.find('=');
    const bool key = equals != std::string::npos && equals > 0 &&
                     std::all_of(word.begin(), word.begin() + static_cast<ptrdiff_t>(equals), [](unsigned char letter) {
                       return std::isalnum(letter) || letter == '_' || letter == '.';
                     });
    (key ? out.overrides : out.plain).push_back(word);
  }
  return out;
}

}  // namespace simmim
