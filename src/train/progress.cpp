#include "train/progress.h"

#include <fmt/format.h>

namespace simmim {
namespace {

double number_of(const Metadata& metadata, const std::string& key) {
  const auto it = metadata.find(key);
  return it == metadata.end() ? 0 : std::stod(it->second);
}

}  // namespace

Metadata Progress::to_metadata() const {
  Metadata metadata;
  for (const auto& [key, value] : extra) metadata["progress." + key] = value;
  const auto put = [&](const std::string& key, auto value) { metadata[key] = fmt::format("{}", value); };
  put("step", step);
  put("skipped", skipped);
  put("skipped_in_row", skipped_in_row);
  put("loss_sum", loss_sum);
  put("norm_sum", norm_sum);
  put("count", count);
  put("epoch_loss_sum", epoch_loss_sum);
  put("epoch_count", epoch_count);
  put("last_epoch_loss", last_epoch_loss);
  put("seconds", seconds);
  put("journal_bytes", journal_bytes);
  return metadata;
}

Progress Progress::from_metadata(const Metadata& metadata) {
  const auto whole = [&](const std::string& key) { return static_cast<int64_t>(number_of(metadata, key)); };
  Progress progress{.step = whole("step"),
                    .skipped = whole("skipped"),
                    .skipped_in_row = whole("skipped_in_row"),
                    .loss_sum = number_of(metadata, "loss_sum"),
                    .norm_sum = number_of(metadata, "norm_sum"),
                    .count = whole("count"),
                    .epoch_loss_sum = number_of(metadata, "epoch_loss_sum"),
                    .epoch_count = whole("epoch_count"),
                    .last_epoch_loss = number_of(metadata, "last_epoch_loss"),
                    .seconds = number_of(metadata, "seconds"),
                    .journal_bytes = static_cast<uint64_t>(whole("journal_bytes"))};
  for (const auto& [key, value] : metadata)
    if (key.starts_with("progress.")) progress.extra[key.substr(9)] = value;
  return progress;
}

}  // namespace simmim
