#include "cli/engine_client.h"

#include <dlfcn.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <string>

#include "core/error.h"
#include "core/files.h"
#include "core/recipes.h"
#include "engine.h"
#include "sweep/worker_process.h"

namespace simmim {
namespace {

struct Engine {
  decltype(&simmim_engine_call) call = nullptr;
  decltype(&simmim_engine_free) free = nullptr;
};

bool threads_are_set = false;
std::atomic<int> signals{0};
std::atomic<void (*)()> interrupt_engine{nullptr};

// TERM, HUP and USR2 (Slurm, before a time limit) only ever ask; a second Ctrl-C ends at once, with what the last
// checkpoint holds.
void on_signal(int number) {
  const int before = number == SIGINT ? signals.fetch_add(1) : (signals.load() == 0 ? signals.fetch_add(1) : 0);
  if (before == 0) {
    constexpr char text[] = "\nstopping: finishing the step and saving (Ctrl-C again: stop at once)\n";
    if (number == SIGINT && isatty(STDERR_FILENO)) [[maybe_unused]]
      const ssize_t ignored = ::write(STDERR_FILENO, text, sizeof text - 1);
    if (auto* interrupt = interrupt_engine.load()) interrupt();
  } else if (number == SIGINT && interrupt_engine.load()) {
    _exit(static_cast<int>(Code::interrupted));
  }
}

fs::path engine_library() {
  const fs::path here = program_path().parent_path();
  for (const fs::path& folder : {here, here.parent_path() / "lib/simmim"})
    if (fs::exists(folder / "libsimmim_engine.so")) return folder / "libsimmim_engine.so";
  fail(Code::device, "engine: libsimmim_engine.so is neither in {} nor in {}; build it (make build) or install it",
       here.string(), (here.parent_path() / "lib/simmim").string());
}

void* symbol(void* library, const char* name) {
  if (void* address = dlsym(library, name)) return address;
  fail(Code::device, "engine: {} has no {}; engine and program are of different versions, build both",
       "libsimmim_engine.so", name);
}

Engine load_engine() {
  if (!threads_are_set) set_engine_threads(0);
  const fs::path path = engine_library();
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL);  // never closed: LibTorch does not survive that
  if (!library) fail(Code::device, "engine: {}", dlerror());
  interrupt_engine = reinterpret_cast<void (*)()>(symbol(library, "simmim_engine_interrupt"));
  if (signals.load() > 0) interrupt_engine.load()();  // one that came while it was loading
  return {reinterpret_cast<decltype(Engine::call)>(symbol(library, "simmim_engine_call")),
          reinterpret_cast<decltype(Engine::free)>(symbol(library, "simmim_engine_free"))};
}

}  // namespace

int usable_cores() { return static_cast<int>(core_numbers().size()); }

void set_engine_threads(int threads, int sharing) {
  if (threads <= 0)
    if (const char* given = std::getenv("SIMMIM_THREADS")) threads = std::atoi(given);
  if (threads <= 0) {
    threads = usable_cores();
    // A launcher that dealt the cores out may use more of them itself. The machine's number says nothing: a container
    // may have fewer.
    const bool dealt_out = threads < static_cast<int>(core_numbers(getppid()).size());
    if (!dealt_out) threads = std::max(1, threads / sharing);
  }
  setenv("OMP_NUM_THREADS", std::to_string(threads).c_str(), 1);
  setenv("OMP_WAIT_POLICY", "passive", 0);  // spinning threads take the cores that the loader needs
  setenv("GOMP_SPINCOUNT", "0", 0);
  threads_are_set = true;
}

void catch_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGUSR2}) sigaction(number, &action, nullptr);
}

int interrupts() { return signals.load(); }

Json engine_call(const Json& request, const EventHandler& on_event) {
  static const Engine engine = load_engine();
  catch_signals();
  char* text = nullptr;
  const simmim_event_fn forward = [](const char* event, void* context) {
    const auto& handler = *static_cast<const EventHandler*>(context);
    if (handler) handler(Json::parse(event));
  };
  const int code = engine.call(request.dump().c_str(), forward, const_cast<EventHandler*>(&on_event), &text);
  Json answer = text ? Json::parse(text, nullptr, /*allow_exceptions=*/false) : Json();
  if (text) engine.free(text);
  if (code != 0 && !(answer.is_object() && answer.contains("state")))
    throw Error(static_cast<Code>(code),
                answer.is_object() ? answer.value("error", "the engine gave no reason") : "the engine gave no answer");
  return answer;
}

}  // namespace simmim
