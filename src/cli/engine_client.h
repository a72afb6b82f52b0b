// The engine, loaded when a command first asks for it: LibTorch costs 0.3 s and 115 MB, which `simmim --help` must not
// pay. See engine.h for the requests.
#pragma once
#include <functional>

#include "core/json.h"

namespace simmim {

// Fixes the threads and the waiting policy of OpenMP, which read them when the engine is loaded. 0: every core that
// this process may use, or its part of them where `sharing` processes may use all. Call it once, before the first
// engine_call; SIMMIM_THREADS is the default of --threads.
void set_engine_threads(int threads, int sharing = 1);
int usable_cores();

using EventHandler = std::function<void(const Json& event)>;

// Loads the engine if need be, runs one request and returns its answer. The engine's errors become Error with its code
// and sentence. Code::device if the library cannot be loaded, with the reason. From here on Ctrl-C and TERM ask the
// request to save and stop (Code::interrupted); a second Ctrl-C ends the process at once.
Json engine_call(const Json& request, const EventHandler& on_event = {});

// How many signals have come since catch_signals (which engine_call calls too).
void catch_signals();
int interrupts();

}  // namespace simmim
