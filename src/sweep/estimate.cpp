#include "sweep/estimate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "runs/database.h"
#include "sweep/plan.h"

namespace simmim {
namespace {

std::string text_at(const Json& config, std::string_view path) {
  const Json* value = find_path(config, path);
  return value && value->is_string() ? value->get<std::string>() : "";
}
double number_at(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_number() ? it->get<double>() : 0;
}
std::string encoder_of(const Json& config) { return config.contains("encoder") ? canonical(config["encoder"]) : ""; }
int64_t image_size_of(const Json& config) {
  const Json* size = find_path(config, "data.image_size");
  return size && size->is_number() ? size->get<int64_t>() : 0;
}

}  // namespace

History read_history(const fs::path& database, const fs::path& out) {
  History history;
  const Sqlite reader = open_for_reading(database, out);
  Statement runs = reader.prepare(
      "SELECT kind, device, config, parameters, images_per_second FROM results "
      "WHERE state = 'done' AND images_per_second > 0 ORDER BY started_at DESC LIMIT 200");
  while (runs.step()) {
    const Json config = Json::parse(runs.text(2), nullptr, /*allow_exceptions=*/false);
    if (config.is_object())
      history.push_back({runs.text(0), runs.text(1), encoder_of(config), text_at(config, "precision"),
                         image_size_of(config), runs.integer(3), runs.real(4)});
  }
  return history;
}

std::string Estimate::text(const std::string& duration) const {
  if (std::isnan(seconds)) return "not known before a first run like it (simmim bench step)";
  return fmt::format("about {}, {}", duration,
                     measured ? "as runs like it took" : "guessed from FLOPs and the speed of matrix products here");
}

Estimate estimate_time(const Json& stage, const History& history) {
  const Json& config = stage.at("config");
  const Json plan = stage.value("plan", Json::object());
  const double images = number_at(plan, "images"), parameters = number_at(plan, "parameters");
  const std::string kind = stage.value("kind", ""), device = plan.value("device", text_at(config, "device")),
                    encoder = encoder_of(config);
  const PastRun* near = nullptr;
  for (const PastRun& past : history) {
    if (past.kind != kind || past.device.substr(0, 3) != device.substr(0, 3) ||
        past.precision != text_at(config, "precision"))
      continue;
    if (past.encoder == encoder && past.image_size == image_size_of(config))
      return {images / past.images_per_second, true};
    if (!near && past.image_size == image_size_of(config) && past.parameters > 0) near = &past;
  }
  if (near && parameters > 0 && images > 0)
    return {images / near->images_per_second * parameters / static_cast<double>(near->parameters), true};
  const double flops = number_at(plan, "flops"), rate = number_at(plan, "gflops");
  if (flops <= 0 || rate <= 0) return {std::numeric_limits<double>::quiet_NaN(), false};
  return {flops / (1e9 * rate), false};
}

double work_of(const Json& stage) {
  const Json plan = stage.value("plan", Json::object());
  const double images = number_at(plan, "images"), flops = number_at(plan, "flops_per_image");
  return std::max(1.0, images) * (flops > 0 ? flops : 1);
}

std::vector<std::string> longest_first(const Json& plan, std::vector<std::string> runs) {
  std::map<std::string, double> work;
  for (auto run = runs.rbegin(); run != runs.rend(); ++run) {  // children before their parents
    work[*run] += work_of(plan.at("runs").at(*run));
    if (const std::string parent = parent_of(plan, *run); !parent.empty()) work[parent] += work[*run];
  }
  std::stable_sort(runs.begin(), runs.end(), [&](const auto& a, const auto& b) { return work[a] > work[b]; });
  return runs;
}

}  // namespace simmim
