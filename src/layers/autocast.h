// Matrix products in bfloat16 while a scope lasts. Thread-local; to be left before backward().
#pragma once
#include "layers/torch.h"

namespace simmim {

class Autocast {
 public:
  explicit Autocast(at::DeviceType device, bool on = true)
      : device_(device),
        was_on_(at::autocast::is_autocast_enabled(device)),
        was_dtype_(at::autocast::get_autocast_dtype(device)) {
    at::autocast::set_autocast_enabled(device, on);
    at::autocast::set_autocast_dtype(device, at::kBFloat16);
    at::autocast::increment_nesting();
  }
  ~Autocast() {
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(device_, was_on_);
    at::autocast::set_autocast_dtype(device_, was_dtype_);
  }
  static bool is_on(const Tensor& x) { return at::autocast::is_autocast_enabled(x.device().type()); }
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  at::DeviceType device_;
  bool was_on_;
  at::ScalarType was_dtype_;
};

}  // namespace simmim
