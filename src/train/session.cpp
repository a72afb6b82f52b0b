#include "train/session.h"

#include <atomic>

#include "core/error.h"
#include "runs/ingest.h"

namespace simmim {
namespace {
std::atomic<bool> wish_to_stop{false};
}

void request_interrupt() { wish_to_stop.store(true, std::memory_order_relaxed); }
void clear_interrupt() { wish_to_stop.store(false, std::memory_order_relaxed); }
bool interrupt_requested() { return wish_to_stop.load(std::memory_order_relaxed); }

RunFolder& Session::folder() {
  SIMMIM_CHECK(folder_ != nullptr, "rank {} writes into the folder of {}", group_.rank(), id());
  return *folder_;
}

void Session::event(const Json& event) const {
  if (first()) sink_(event);
}

void Session::message(const std::string& text) {
  if (!first()) return;
  folder_->log(text);
  sink_({{"event", "message"}, {"text", text}});
}

// A run waits for nobody long: the folder is the truth, and the next time takes in what this one could not.
void Session::ingest() {
  if (!first()) return;
  const std::string trouble = ingest_run(database_, path_, warned_ ? 200 : 2000);
  if (trouble.empty() || warned_) return;
  warned_ = true;
  message("warning: " + trouble);
}

}  // namespace simmim
