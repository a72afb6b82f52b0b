#include "core/error.h"
#include "kernels/plugin.h"
#include "parallel/wire.h"
#include "parallel/wire_api.h"

namespace simmim {
namespace {

constexpr size_t kIdBytes = 128;

class NcclWire : public Wire {
 public:
  explicit NcclWire(const NcclApi& api) : api_(api) {}

  void start_broadcast(const Tensor& tensor) override {
    check([&](WireWhy* why) {
      return api_.broadcast(tensor.data_ptr(), static_cast<int64_t>(tensor.nbytes()), WireType::bytes, why);
    });
  }

  void start_sum(const Tensor& tensor) override {
    const at::ScalarType type = tensor.scalar_type();
    SIMMIM_CHECK(tensor.is_contiguous() && (type == at::kFloat || type == at::kDouble || type == at::kLong),
                 "a sum of what cannot be added");
    const WireType as = type == at::kFloat ? WireType::f32 : type == at::kDouble ? WireType::f64 : WireType::i64;
    check([&](WireWhy* why) { return api_.start_sum(tensor.data_ptr(), tensor.numel(), as, why); });
  }

  bool done_within(int) override {
    check([&](WireWhy* why) { return api_.wait(why); });
    return true;
  }

  template <class Call>
  static void check(Call&& call) {
    WireWhy why{};
    if (call(&why) != 0) fail(Code::device, "{}", why.text);
  }

 private:
  const NcclApi& api_;
};

}  // namespace

std::unique_ptr<Wire> open_nccl(int rank, int size, int device,
                                const std::function<std::string(std::string)>& share_id) {
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
  NcclWire::check([&](WireWhy* why) { return api.init(rank, size, id.data(), device, why); });
  return std::make_unique<NcclWire>(api);
}

}  // namespace simmim
