#include "runs/estimate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "runs/run_folder.h"

namespace simmim {
namespace {

constexpr int64_t kRemembered = 200;  // finished runs

std::string text_at(const Json& config, std::string_view path) {
  const Json* value = find_path(config, path);
  return value && value->is_string() ? value->get<std::string>() : "";
}
double number_at(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_number() ? it->get<double>() : 0;
}

}  // namespace

std::string model_of(const Json& config) {
  Json model = Json::object();
  for (const char* path : {"method", "encoder", "head", "target", "data.image_size"})
    if (const Json* part = find_path(config, path)) model[path] = *part;
  return canonical(model);
}

History read_history(const Sqlite& database, const fs::path& out) {
  History history;
  Statement runs = database.prepare(fmt::format(
      "SELECT r.id, r.kind, r.device, c.value, r.seconds / r.images_seen FROM (SELECT * FROM runs WHERE state = 'done' "
      "AND images_seen > 0 AND seconds > 0 ORDER BY started_at DESC LIMIT {}) r "
      "JOIN config_values c ON c.key = '' AND c.run = r.id ORDER BY r.started_at DESC",
      kRemembered));
  while (runs.step()) {
    const Json config = Json::parse(runs.text(3), nullptr, /*allow_exceptions=*/false);
    if (!config.is_object()) continue;
    const Json summary = read_record(run_path(out, runs.text(0))).value("summary", Json::object());
    history.push_back({runs.text(1), runs.text(2), text_at(config, "precision"), model_of(config),
                       number_at(summary, "flops_per_image"), runs.real(4)});
  }
  return history;
}

std::string Estimate::text(const std::string& duration) const {
  switch (basis) {
    case Basis::like:
      return "about " + duration + ", as runs like it took";
    case Basis::scaled:
      return "about " + duration + ", guessed from runs of other models by their FLOPs";
    case Basis::products:
      return "about " + duration + ", guessed from FLOPs and the speed of matrix products here";
    case Basis::none:
      break;
  }
  return "not known before a first run like it (simmim bench step)";
}

Estimate estimate_time(const Json& stage, const History& history) {
  const Json& config = stage.at("config");
  const Json plan = stage.value("plan", Json::object());
  const double images = number_at(plan, "images"), flops = number_at(plan, "flops_per_image");
  const std::string kind = stage.value("kind", ""), device = plan.value("device", text_at(config, "device")),
                    model = model_of(config);
  const PastRun* near = nullptr;
  for (const PastRun& past : history) {
    if (past.kind != kind || past.device.substr(0, 3) != device.substr(0, 3) ||
        past.precision != text_at(config, "precision"))
      continue;
    if (past.model == model) return {images * past.seconds_an_image, Basis::like};
    if (!near && past.flops > 0) near = &past;
  }
  if (near && flops > 0 && images > 0) return {images * near->seconds_an_image * flops / near->flops, Basis::scaled};
  const double all_flops = number_at(plan, "flops"), rate = number_at(plan, "gflops");
  if (all_flops <= 0 || rate <= 0) return {std::numeric_limits<double>::quiet_NaN(), Basis::none};
  return {all_flops / (1e9 * rate), Basis::products};
}

double work_of(const Json& stage) {
  const Json plan = stage.value("plan", Json::object());
  const double images = number_at(plan, "images"), flops = number_at(plan, "flops_per_image");
  return std::max(1.0, images) * (flops > 0 ? flops : 1);
}

}  // namespace simmim
