// What the screen gets: one live line (or a few) on a terminal, plain lines elsewhere. Everything goes to stderr.
#pragma once
#include <string>
#include <vector>

namespace simmim {

bool is_terminal();      // stderr is one that can rewrite lines (TERM is not "dumb")
bool has_colour();       // and NO_COLOR is not set
int terminal_columns();  // 80 where it cannot be told
int terminal_rows();     // 24 where it cannot be told

// Lines at the bottom of the terminal that are rewritten in place. Nothing is shown off a terminal.
class LiveLines {
 public:
  explicit LiveLines(bool enabled) : enabled_(enabled && is_terminal()) {}
  ~LiveLines() { clear(); }
  bool enabled() const { return enabled_; }
  void show(const std::vector<std::string>& lines);  // each is cut to the width
  void clear();
  void print_above(const std::string& line);  // an ordinary line of stderr, the live lines stay below it

 private:
  bool enabled_;
  std::vector<std::string> shown_;
};

std::string duration_text(double seconds);  // "12 s", "3 min 05 s", "2 h 07 min", "3 d 04 h", "120 d", "49 years"
std::string count_text(double count);       // "950", "12.3k", "4.56M", "7.8G", "1.2E"
std::string bytes_text(double bytes);       // "12.3 MB"
std::string bold(const std::string& text);  // where has_colour() says so

void say(bool quiet, const std::string& line);  // stderr, unless quiet
void warn(const std::string& sentence);         // stderr, also when quiet

}  // namespace simmim
