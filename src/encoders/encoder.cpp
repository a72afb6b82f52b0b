#include "encoders/encoder.h"

#include <charconv>

#include "core/error.h"

namespace simmim {

bool Encoder::decays(std::string_view name, int64_t dims, Stage stage) const {
  return dims > 1 && !name.ends_with(".bias") && !skips_decay(without_prefix(name), stage);
}

double Encoder::kept_bytes(const ModelContext& on) const {
  return flops() / (2 * static_cast<double>(shape().channels)) * (on.dtype == at::kDouble ? 8 : 4);
}

std::string_view without_prefix(std::string_view name) {
  constexpr std::string_view prefix = "encoder.";
  return name.starts_with(prefix) ? name.substr(prefix.size()) : name;
}

int64_t number_in(std::string_view name, int n) {
  while (!name.empty()) {
    const size_t dot = std::min(name.find('.'), name.size());
    int64_t value = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + dot, value);
    if (error == std::errc() && end == name.data() + dot && n-- == 0) return value;
    name.remove_prefix(std::min(dot + 1, name.size()));
  }
  SIMMIM_CHECK(false, "no such number in a parameter's name");
}

std::string nearest_sizes(int64_t size, const std::function<bool(int64_t)>& fits) {
  int64_t below = size - 1, above = size + 1;
  while (below > 0 && !fits(below)) --below;
  while (above < 8 * size && !fits(above)) ++above;
  if (below <= 0) return std::to_string(above);
  return above < 8 * size ? fmt::format("{} or {}", below, above) : std::to_string(below);
}

}  // namespace simmim
