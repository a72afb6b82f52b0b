// The options of one command, declared once: parsing (CLI11), --help and shell completion all follow from the rows.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/files.h"
#include "core/process.h"

namespace simmim {

// What every command takes.
struct CommonOptions {
  std::string out = "results", db;
  bool json = false, quiet = false;
  bool out_given = false;     // --out stands on the command line
  std::string command_line;   // as typed, quoted for a shell
  fs::path database() const;  // --db, else SIMMIM_DB, else OUT/simmim.db
};

// "next: COMMAND" on standard error, unless quiet; with --out where that was given.
void hint(const CommonOptions& common, const std::string& command);

class Args {
 public:
  // One row of --help. names: "-o,--output"; value: "FILE", empty for a flag; positional: the names are empty.
  struct Row {
    std::string names, value, help;
    std::vector<std::string> choices;
  };

  Args(std::string command, std::string help);
  ~Args();
  Args(const Args&) = delete;
  Args& operator=(const Args&) = delete;

  void example(std::string line);                                                // shown first in --help
  void notes(std::function<std::string()> text) { notes_ = std::move(text); }    // shown last
  void manual(std::function<std::string()> text) { manual_ = std::move(text); }  // shown last, in the manual page too

  void flag(const std::string& names, bool& target, std::string help);
  void option(const std::string& names, std::string value, std::string& target, std::string help,
              std::vector<std::string> choices = {});
  void option(const std::string& names, std::string value, std::optional<int64_t>& target, std::string help,
              int64_t min = 0);
  // "" if it is not given; `choices` are for --help and completion: the command checks them
  void positional(std::string value, std::string& target, std::string help, std::vector<std::string> choices = {});
  void positional(std::string value, std::vector<std::string>& target, std::string help,
                  std::vector<std::string> choices = {});

  const CommonOptions& common() const { return *common_; }
  std::shared_ptr<const CommonOptions> shared_common() const { return common_; }
  const std::vector<Row>& rows() const { return rows_; }
  std::string help_text() const;
  std::string manual_text() const { return manual_ ? manual_() : ""; }

  // Code::usage for anything unknown (with the nearest name). False: --help was asked for.
  bool parse(const std::vector<std::string>& words);

 private:
  struct Parser;
  std::string command_, help_;
  std::vector<std::string> examples_;
  std::vector<Row> rows_;
  std::function<std::string()> notes_, manual_;
  std::shared_ptr<CommonOptions> common_ = std::make_shared<CommonOptions>();
  std::unique_ptr<Parser> parser_;
};

// The positional words of a command that reads a configuration: [RECIPE] [key=value...], and the rest.
struct ConfigWords {
  std::vector<std::string> plain;      // words without '='
  std::vector<std::string> overrides;  // key.path=value
};
ConfigWords split_words(const std::vector<std::string>& words);

}  // namespace simmim
