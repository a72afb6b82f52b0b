// A kernel of NCCL waits on the GPU for those of the other ranks, and nothing that the host does then comes back. So
// the host asks, and looks meanwhile whether the others are still there.
#include <sched.h>
#include <unistd.h>

#include <chrono>

#include "core/error.h"
#include "kernels/plugin.h"
#include "parallel/wire.h"
#include "parallel/wire_api.h"

namespace simmim {
namespace {

constexpr size_t kIdBytes = 128;
constexpr int kLookAfterMs = 20;                          // at the other ranks
constexpr auto kAtOnce = std::chrono::microseconds(200);  // asks again and again; after that with rests
constexpr useconds_t kRest = 50;

class NcclWire : public Wire {
 public:
  NcclWire(const NcclApi& api, std::function<void()> look) : api_(api), look_(std::move(look)) {}

  void init(int rank, int size, const std::string& id, int device) {
    issue([&](WireWhy* why) { return api_.init(rank, size, id.data(), device, why); });
  }

  void start_broadcast(const Tensor& tensor) override {
    issue([&](WireWhy* why) {
      return api_.broadcast(tensor.data_ptr(), static_cast<int64_t>(tensor.nbytes()), WireType::bytes, why);
    });
  }

  void start_sum(const Tensor& tensor) override {
    const at::ScalarType type = tensor.scalar_type();
    SIMMIM_CHECK(tensor.is_contiguous() && (type == at::kFloat || type == at::kDouble || type == at::kLong),
                 "a sum of what cannot be added");
    const WireType as = type == at::kFloat ? WireType::f32 : type == at::kDouble ? WireType::f64 : WireType::i64;
    issue([&](WireWhy* why) { return api_.start_sum(tensor.data_ptr(), tensor.numel(), as, why); });
  }

  bool done_within(int) override {
    check([&](WireWhy* why) { return api_.wait(why); });
    return true;
  }

  bool finished_within(int milliseconds) override { return says_yes(api_.finished, milliseconds); }
  void give_up() override { api_.abort(); }

  template <class Call>
  static void check(Call&& call) {
    WireWhy why{};
    if (call(&why) != 0) fail(Code::device, "{}", why.text);
  }

 private:
  template <class Call>
  void issue(Call&& call) {
    check(call);
    while (!says_yes(api_.issued, kLookAfterMs)) look_();
  }

  static bool says_yes(int (*question)(int* yes, WireWhy* why), int milliseconds) {
    const auto began = std::chrono::steady_clock::now();
    for (int yes = 0;;) {
      check([&](WireWhy* why) { return question(&yes, why); });
      const auto waited = std::chrono::steady_clock::now() - began;
      if (yes != 0 || waited > std::chrono::milliseconds(milliseconds)) return yes != 0;
      if (waited < kAtOnce)
        sched_yield();
      else
        usleep(kRest);
    }
  }

  const NcclApi& api_;
  std::function<void()> look_;
};

}  // namespace

std::unique_ptr<Wire> open_nccl(int rank, int size, int device, const std::function<std::string(std::string)>& share_id,
                                std::function<void()> look) {
  std::string why_not;
  using Function = const NcclApi*();
  auto* function = reinterpret_cast<Function*>(plugin_symbol("libsimmim_cuda.so", kNcclApiSymbol, "nccl.h", why_not));
  if (function == nullptr)
    fail(Code::device, "several processes on GPUs need NCCL: {}; install nvidia-nccl-cu13 (PyPI), then build anew",
         why_not);
  const NcclApi& api = *function();
  SIMMIM_CHECK(api.version == kWireVersion, "libsimmim_cuda.so is of another version than the engine");
  std::string id(kIdBytes, '\0');
  if (rank == 0) NcclWire::check([&](WireWhy* why) { return api.unique_id(id.data(), id.size(), why); });
  id = share_id(id);
  auto wire = std::make_unique<NcclWire>(api, std::move(look));
  wire->init(rank, size, id, device);
  return wire;
}

}  // namespace simmim
