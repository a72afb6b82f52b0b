// simmim: the table of commands, the only catch, and the exit codes.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "core/error.h"

namespace simmim {

const std::vector<Command>& all_commands() {
  static const std::vector<Command> commands = {
      pretrain_command(),    finetune_command(), probe_command(),      sweep_command(),   status_command(),
      runs_command(),        show_command(),     compare_command(),    log_command(),     query_command(),
      table_command(),       plot_command(),     report_command(),     eval_command(),    predict_command(),
      reconstruct_command(), mask_command(),     inspect_command(),    export_command(),  import_command(),
      data_command(),        bench_command(),    list_command(),       check_command(),   doctor_command(),
      db_command(),          gc_command(),       completion_command(), version_command(), complete_command(),
      worker_command(),
  };
  return commands;
}

namespace {

// What was printed may still be lost: a full disk behind standard output is an error like any other.
int flushed(int code) {
  if (std::fflush(stdout) == 0 && !std::ferror(stdout)) return code;
  std::fputs("simmim: standard output: cannot be written to; is the disk full?\n", stderr);
  return code == 0 ? static_cast<int>(Code::data) : code;
}

int guarded(const std::vector<std::string>& words) {
  try {
    return flushed(run_program(all_commands(), words));
  } catch (const Error& error) {
    std::fflush(stdout);
    // Of several processes with one run, one says what is wrong.
    if (*error.what() != '\0') std::fprintf(stderr, "simmim: %s\n", error.what());
    return static_cast<int>(error.code());
  } catch (const std::bad_alloc&) {
    std::fputs("simmim: out of memory; use a smaller batch or fewer workers\n", stderr);
    return static_cast<int>(Code::device);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "simmim: %s\n", error.what());
    return static_cast<int>(Code::run_failed);
  }
}

}  // namespace
}  // namespace simmim

int main(int argc, char** argv) {
  std::signal(SIGXFSZ, SIG_IGN);  // a file-size limit is then an error of write, like a full disk
  const int code = simmim::guarded({argv + 1, argv + argc});
  std::_Exit(code);  // all is written: taking LibTorch's tables apart would cost a third of its loading
}
