// MPI is called on one thread of its own: a sum goes on while the backward pass computes, since MPI moves data only
// inside of its functions.
#include <sched.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "core/error.h"
#include "kernels/plugin.h"
#include "parallel/wire.h"
#include "parallel/wire_api.h"

namespace simmim {
namespace {

constexpr auto kEagerly = std::chrono::microseconds(200);  // asks again and again; after that in naps
constexpr useconds_t kNap = 50;

WireType type_of(const Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case at::kFloat:
      return WireType::f32;
    case at::kDouble:
      return WireType::f64;
    case at::kLong:
      return WireType::i64;
    default:
      return WireType::bytes;
  }
}

int64_t count_of(const Tensor& tensor) {
  return type_of(tensor) == WireType::bytes ? static_cast<int64_t>(tensor.nbytes()) : tensor.numel();
}

class MpiWire : public Wire {
 public:
  explicit MpiWire(const MpiApi& api) : api_(api), thread_([this] { work(); }) {}

  ~MpiWire() override {  // what still waits for a rank that is gone is left alone
    {
      const std::lock_guard lock(mutex_);
      given_up_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  void init(int* rank, int* size) {
    submit([this, rank, size](WireWhy* why) { return api_.init(rank, size, why); });
    finish();
  }

  void start_broadcast(const Tensor& tensor) override {
    submit([this, tensor](WireWhy* why) {
      return api_.start_broadcast(tensor.data_ptr(), count_of(tensor), type_of(tensor), why) != 0 || wait_for_it(why);
    });
  }

  void start_sum(const Tensor& tensor) override {
    SIMMIM_CHECK(tensor.is_contiguous() && type_of(tensor) != WireType::bytes, "a sum of what cannot be added");
    submit([this, tensor](WireWhy* why) {
      return api_.start_sum(tensor.data_ptr(), count_of(tensor), type_of(tensor), why) != 0 || wait_for_it(why);
    });
  }

  bool done_within(int milliseconds) override {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::milliseconds(milliseconds), [&] { return waiting_.empty(); });
    if (!trouble_.empty()) fail(Code::run_failed, "MPI: {}", trouble_);
    return waiting_.empty();
  }

  void close() override {
    submit([this](WireWhy* why) { return api_.finalize(why); });
    finish();
  }

 private:
  using Operation = std::function<int(WireWhy*)>;

  void submit(Operation operation) {
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(operation));
    }
    changed_.notify_all();
  }

  void finish() {
    while (!done_within(1000)) {
    }
  }

  int wait_for_it(WireWhy* why) {
    const auto began = std::chrono::steady_clock::now();
    for (int done = 0;;) {
      if (api_.done(&done, why) != 0) return 1;
      if (done != 0) return 0;
      if (std::chrono::steady_clock::now() - began < kEagerly) {
        sched_yield();
        continue;
      }
      usleep(kNap);
      const std::lock_guard lock(mutex_);
      if (given_up_) return 0;
    }
  }

  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [&] { return given_up_ || !waiting_.empty(); });
      if (given_up_) return;
      const Operation operation = waiting_.front();
      lock.unlock();
      WireWhy why{};
      const int failed = operation(&why);
      lock.lock();
      if (failed != 0) trouble_ = why.text;
      waiting_.pop_front();
      if (waiting_.empty() || failed != 0) changed_.notify_all();
    }
  }

  const MpiApi& api_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Operation> waiting_;  // the first is in work
  std::string trouble_;
  bool given_up_ = false;
  std::thread thread_;
};

}  // namespace

MpiWorld open_mpi() {
  std::string why_not;
  using Function = const MpiApi*();
  auto* function = reinterpret_cast<Function*>(plugin_symbol("libsimmim_mpi.so", kMpiApiSymbol, "MPI", why_not));
  if (function == nullptr)
    fail(Code::device,
         "several processes on CPUs need MPI: {}; install libopenmpi-dev and openmpi-bin, then build anew", why_not);
  SIMMIM_CHECK(function()->version == kWireVersion, "libsimmim_mpi.so is of another version than the engine");
  MpiWorld world;
  auto wire = std::make_unique<MpiWire>(*function());
  wire->init(&world.rank, &world.size);
  world.wire = std::move(wire);
  return world;
}

}  // namespace simmim
