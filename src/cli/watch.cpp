#include "cli/watch.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <set>

#include "cli/engine_client.h"
#include "cli/terminal.h"
#include "core/names.h"

namespace simmim {
namespace {

constexpr std::chrono::seconds kQuiet(10);  // a worker that has ended and the next one are never so far apart

void print_new_lines(const std::string& text, std::set<std::string>& shown) {
  std::set<std::string> now;
  for (const std::string& line : split(text, '\n')) {
    if (line.empty() || !now.insert(line).second) continue;
    if (!shown.contains(line)) std::printf("%s\n", line.c_str());
  }
  std::fflush(stdout);
  shown = std::move(now);
}

}  // namespace

void watch(const std::function<Look()>& look) {
  catch_signals();
  LiveLines live(isatty(STDOUT_FILENO) != 0);
  std::set<std::string> shown;
  auto last_busy = std::chrono::steady_clock::now();
  for (;;) {
    const Look now = look();
    if (live.enabled()) {
      std::vector<std::string> lines = split(trim(now.text), '\n');
      if (const auto rows = static_cast<size_t>(terminal_rows()) - 1; lines.size() > rows) lines.resize(rows);
      live.show(lines);
    } else {
      print_new_lines(now.text, shown);
    }
    if (now.running) last_busy = std::chrono::steady_clock::now();
    bool over = !now.running && (!now.waiting || std::chrono::steady_clock::now() - last_busy > kQuiet);
    for (int tenth = 0; !over && tenth < 10; ++tenth) {
      usleep(100'000);
      over = interrupts() > 0;
    }
    if (!over) continue;
    live.clear();
    if (live.enabled()) std::fputs(now.text.c_str(), stdout);
    return;
  }
}

}  // namespace simmim
