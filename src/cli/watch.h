// --watch: the same look again and again.
#pragma once
#include <functional>
#include <string>

namespace simmim {

struct Look {
  std::string text;      // what is shown: lines
  bool running = false;  // some run is at work, or in a cluster's queue
  bool waiting = false;  // some run could still be started by a sweep
};

// Looks every second: on a terminal the lines are redrawn in place and stay at the end, elsewhere each line is printed
// when it is new. Ends on Ctrl-C, when nothing runs and nothing waits, or when what waits has waited for ten seconds
// with nothing running.
void watch(const std::function<Look()>& look);

}  // namespace simmim
