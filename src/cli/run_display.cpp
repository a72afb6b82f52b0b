#include "cli/run_display.h"

#include <fmt/format.h>

#include <vector>

#include "core/names.h"

namespace simmim {
namespace {

double number(const Json& event, const char* key) {
  const auto it = event.find(key);
  return it != event.end() && it->is_number() ? it->get<double>() : std::nan("");
}

std::string value_text(const Json& value) {
  return value.is_number_float() ? fmt::format("{:.4g}", value.get<double>())
         : value.is_string()     ? value.get<std::string>()
                                 : value.dump();
}

}  // namespace

std::string progress_text(const Json& event) {
  std::vector<std::string> parts;
  const auto has = [&](const char* key) { return event.contains(key) && event[key].is_number(); };
  if (has("epoch") && has("epochs"))
    parts.push_back(fmt::format("epoch {:.1f}/{}", number(event, "epoch"), number_text(number(event, "epochs"))));
  if (has("step") && has("steps"))
    parts.push_back(fmt::format("step {}/{}", event["step"].dump(), event["steps"].dump()));
  if (has("loss")) parts.push_back(fmt::format("loss {:.4f}", number(event, "loss")));
  if (has("lr")) parts.push_back(fmt::format("lr {:.2e}", number(event, "lr")));
  if (has("images_per_second")) parts.push_back(count_text(number(event, "images_per_second")) + " img/s");
  if (has("seconds_left")) parts.push_back(duration_text(number(event, "seconds_left")) + " left");
  return join(parts, "  ");
}

std::string epoch_text(const Json& event) {
  std::vector<std::string> parts;
  for (const auto& [key, value] : event.items())
    if (key != "event" && key != "epoch" && !value.is_structured()) parts.push_back(key + " " + value_text(value));
  return fmt::format("epoch {}: {}", event.contains("epoch") ? event["epoch"].dump() : "?", join(parts, ", "));
}

void RunDisplay::event(const Json& event) {
  if (quiet_) return;
  const std::string kind = event.value("event", "");
  if (kind == "progress")
    live_.show({title_ + "  " + progress_text(event) + (last_epoch_.empty() ? "" : "  | " + last_epoch_)});
  if (kind == "epoch") {
    last_epoch_ = epoch_text(event);
    if (!live_.enabled()) live_.print_above(title_ + "  " + last_epoch_);
  }
  if (kind == "message") live_.print_above(event.value("text", ""));
}

}  // namespace simmim
