#include "cli/terminal.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace simmim {
namespace {

// The first `columns` characters, counting UTF-8 letters as one.
std::string cut(const std::string& text, int columns) {
  int seen = 0;
  for (size_t i = 0; i < text.size(); ++i)
    if ((text[i] & 0xC0) != 0x80 && ++seen > columns) return text.substr(0, i);
  return text;
}

std::string two_digits(double number) {  // from 1: "1.3", "49", "49000"
  const double unit = std::pow(10, std::floor(std::log10(number)) - 1);
  return fmt::format("{:.{}f}", std::round(number / unit) * unit, unit < 1 ? 1 : 0);
}

}  // namespace

bool is_terminal() {
  static const bool answer = [] {
    const char* term = std::getenv("TERM");
    return isatty(STDERR_FILENO) && term && std::strcmp(term, "dumb") != 0;
  }();
  return answer;
}

bool has_colour() {
  const char* no_colour = std::getenv("NO_COLOR");
  return is_terminal() && !(no_colour && *no_colour);
}

int terminal_columns() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

int terminal_rows() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 1 ? size.ws_row : 24;
}

void LiveLines::clear() {
  if (shown_.empty()) return;
  fmt::print(stderr, "\r\033[J");
  for (size_t i = 1; i < shown_.size(); ++i) fmt::print(stderr, "\033[A\r\033[J");
  std::fflush(stderr);
  shown_.clear();
}

void LiveLines::show(const std::vector<std::string>& lines) {
  if (!enabled_) return;
  const int columns = terminal_columns() - 1;
  std::string text;
  if (!shown_.empty()) text = shown_.size() > 1 ? fmt::format("\r\033[{}A", shown_.size() - 1) : "\r";
  text += "\033[J";
  for (size_t i = 0; i < lines.size(); ++i) text += (i ? "\n" : "") + cut(lines[i], columns);
  std::fputs(text.c_str(), stderr);
  std::fflush(stderr);
  shown_ = lines;
}

void LiveLines::print_above(const std::string& line) {
  const std::vector<std::string> lines = shown_;
  clear();
  fmt::print(stderr, "{}\n", line);
  if (!lines.empty()) show(lines);
}

std::string duration_text(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) return "?";
  constexpr double kDay = 86400, kYear = 365.25 * kDay;
  if (seconds >= 2 * kYear) return two_digits(seconds / kYear) + " years";
  if (seconds >= 10 * kDay) return two_digits(seconds / kDay) + " d";
  const auto whole = static_cast<int64_t>(std::lround(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  if (whole < 86400) return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
  return fmt::format("{} d {:02} h", whole / 86400, whole / 3600 % 24);
}

std::string count_text(double count) {
  for (const auto& [size, unit] :
       {std::pair{1e18, "E"}, {1e15, "P"}, {1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e4, "k"}}) {
    const double scaled = count / (unit[0] == 'k' ? 1e3 : size);
    if (count >= size) return fmt::format("{:.{}f}{}", scaled, scaled < 10 ? 2 : scaled < 100 ? 1 : 0, unit);
  }
  return fmt::format("{:.0f}", count);
}

std::string bytes_text(double bytes) {
  const char* units[] = {"B", "kB", "MB", "GB", "TB"};
  int unit = 0;
  for (; bytes >= 1000 && unit < 4; ++unit) bytes /= 1000;
  return fmt::format("{:.{}f} {}", bytes, unit && bytes < 100 ? 1 : 0, units[unit]);
}

std::string bold(const std::string& text) { return has_colour() ? "\033[1m" + text + "\033[0m" : text; }

void say(bool quiet, const std::string& line) {
  if (!quiet) fmt::print(stderr, "{}\n", line);
}
void warn(const std::string& sentence) { fmt::print(stderr, "warning: {}\n", sentence); }

}  // namespace simmim
