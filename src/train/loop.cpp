#include "train/loop.h"

#include <algorithm>
#include <cmath>
#include <deque>

#include "core/error.h"
#include "core/names.h"
#include "train/tensors.h"

namespace simmim {
namespace {

constexpr double kEpochSaveSeconds = 10;  // epochs shorter than this share a checkpoint
constexpr size_t kMedianSteps = 101;      // losses that the running median looks back on
constexpr int kMaxCrashReports = 5;

// One run of the loop; the members are what its phases share.
class Loop {
 public:
  Loop(Session& session, const TrainTask& task, Progress& progress)
      : session_(session), task_(task), progress_(progress) {}

  Ending run() {
    if (session_.first())
      session_.folder().log(fmt::format(
          "{} steps of {} images{}{}, peak rate {}", task_.steps, task_.options.batch_size,
          group_.many() ? fmt::format(" on {} processes", group_.size()) : "",
          task_.pieces > 1 ? fmt::format(" in {} pieces", task_.pieces) : "", number_text(task_.schedule.peak)));
    resume();
    start_seconds_ = progress_.seconds;
    const int64_t per_epoch = task_.loader.steps_per_epoch();
    task_.loader.seek(progress_.step / per_epoch, progress_.step % per_epoch);
    while (progress_.step < task_.steps) {
      const Batch& batch = *task_.loader.next();
      data_wait_ += batch.wait_seconds;
      images_ += batch.whole;
      train_step(batch);
      progress_.seconds = start_seconds_ + watch_.seconds();
      const bool last = progress_.step == task_.steps, epoch_end = last || progress_.step % per_epoch == 0;
      if (epoch_end || progress_.step % task_.options.log_steps == 0) write_journal_line(per_epoch);
      if (epoch_end) end_epoch((progress_.step + per_epoch - 1) / per_epoch, last);
      show_progress(per_epoch);
      save_if_due(epoch_end, last);
      if (session_.first()) session_.folder().heartbeat();
      if (!last && group_.any(interrupt_requested())) {
        save();
        return Ending::interrupted;
      }
    }
    if (task_.average != nullptr) task_.average->swap();
    return Ending::done;
  }

 private:
  void train_step(const Batch& batch) {
    StepContext step{.training = true, .seed = task_.seed, .step = progress_.step, .batch_images = batch.whole};
    task_.optimizer.zero_grad();
    Tensor loss;
    for (int64_t piece = 0; piece < task_.pieces; ++piece) {
      const int64_t first = batch.size() * piece / task_.pieces, end = batch.size() * (piece + 1) / task_.pieces;
      if (first == end) continue;
      step.first = batch.first + first;
      const Tensor part = task_.loss(batch, first, end, step);
      loss = loss.defined() ? loss + part.detach() : part.detach();
      if (end == batch.size()) task_.gradients.expect(loss);
      part.backward();
    }
    loss = task_.gradients.finish();
    const Tensor norm = task_.optimizer.step(task_.schedule, progress_.step, loss);
    if (task_.average != nullptr) task_.average->update();
    ++progress_.step;
    pending_.emplace_back(loss, norm);
    // On an accelerator the numbers are fetched only where they are logged, so that no step waits for the device.
    if (loss.is_cpu() || progress_.step % task_.options.log_steps == 0) settle(batch, step);
  }

  // Reads the losses and norms of the steps since the last call; counts and reports what is not finite.
  void settle(const Batch& batch, const StepContext& step) {
    for (const auto& [loss_tensor, norm_tensor] : pending_) {
      const double loss = loss_tensor.item<double>(), norm = norm_tensor.item<double>();
      if (!std::isfinite(loss) || !std::isfinite(norm)) {
        ++progress_.skipped;
        ++progress_.skipped_in_row;
        report_crash(batch, step, loss, norm, "not finite");
        if (progress_.skipped_in_row >= task_.options.max_skipped_steps)
          fail(Code::run_failed,
               "the loss or its gradient was not finite in {}, up to step {}; see {} and `simmim log {} "
               "--why`, then try a "
               "lower lr, a longer warm-up or precision=f32",
               progress_.skipped_in_row == 1 ? "1 step" : fmt::format("{} steps in a row", progress_.skipped_in_row),
               progress_.step, session_.file("crash").string(), session_.id());
        continue;
      }
      if (losses_.size() >= kMedianSteps / 2 && loss > 10 * median())
        report_crash(batch, step, loss, norm, "ten times the running median");
      losses_.push_back(loss);
      if (losses_.size() > kMedianSteps) losses_.pop_front();
      progress_.skipped_in_row = 0;
      progress_.loss_sum += loss;
      progress_.norm_sum += norm;
      ++progress_.count;
      progress_.epoch_loss_sum += loss;
      ++progress_.epoch_count;
      last_loss_ = loss;
    }
    pending_.clear();
  }

  double median() const {
    std::vector<double> sorted(losses_.begin(), losses_.end());
    std::nth_element(sorted.begin(), sorted.begin() + static_cast<int64_t>(sorted.size() / 2), sorted.end());
    return sorted[sorted.size() / 2];
  }

  void report_crash(const Batch& batch, const StepContext& step, double loss, double norm, const std::string& why) {
    if (crash_reports_++ >= kMaxCrashReports) return;
    Json report = {{"step", progress_.step}, {"epoch", batch.epoch},    {"why", why},
                   {"loss", loss},           {"grad_norm", norm},       {"lr", task_.schedule.rate(step.step)},
                   {"seed", task_.seed},     {"indices", batch.indices}};
    std::map<int64_t, double> squares;  // block -> of its gradients
    for (const auto& [name, parameter] : task_.parameters) {
      const double size = at::linalg_vector_norm(parameter.grad()).item<double>();
      report["gradients"][name] = size;
      squares[task_.block_of(name)] += size * size;
    }
    report.update(task_.examine(batch, step));
    for (Json& block : report["blocks"]) block["grad_norm"] = std::sqrt(squares[block["block"].get<int64_t>()]);
    const fs::path folder = session_.file("crash");
    make_folder(folder);
    const std::string whose = session_.first() ? "" : fmt::format("-rank-{}", group_.rank());  // its share of the batch
    write_file_atomically(folder / fmt::format("step-{}{}.json", progress_.step, whose), report.dump(1));
    if (!session_.first()) return;
    std::error_code ignored;  // the last good checkpoint stays under its name even when newer ones follow
    if (!fs::exists(folder / "last_good.safetensors", ignored))
      fs::create_hard_link(session_.file("last.safetensors"), folder / "last_good.safetensors", ignored);
    session_.message(fmt::format("step {}: the loss is {} and its gradient norm {}: {}; the step's facts are in {}",
                                 progress_.step, loss, norm, why, folder.string()));
  }

  void write_journal_line(int64_t per_epoch) {
    const double elapsed = interval_.seconds();
    Json line = {
        {"step", progress_.step},
        {"epoch", static_cast<double>(progress_.step) / static_cast<double>(per_epoch)},
        {"seconds", progress_.seconds},
        {"loss", progress_.count > 0 ? progress_.loss_sum / static_cast<double>(progress_.count) : std::nan("")},
        {"lr", task_.schedule.rate(progress_.step - 1)},
        {"grad_norm", progress_.count > 0 ? progress_.norm_sum / static_cast<double>(progress_.count) : std::nan("")},
        {"images_per_second", static_cast<double>(images_) / elapsed},
        {"data_wait", data_wait_ / elapsed}};
    line_ = std::move(line);
    images_per_second_ = static_cast<double>(images_) / elapsed;
    progress_.loss_sum = progress_.norm_sum = 0;
    progress_.count = 0;
    images_ = 0;
    data_wait_ = 0;
    interval_.restart();
    const bool epoch_end = progress_.step == task_.steps || progress_.step % per_epoch == 0;
    // An epoch's line waits for its evaluation.
    if (!epoch_end && session_.first()) session_.folder().journal().append(line_);
  }

  void end_epoch(int64_t epoch, bool last) {
    if (progress_.epoch_count > 0)
      progress_.last_epoch_loss = progress_.epoch_loss_sum / static_cast<double>(progress_.epoch_count);
    progress_.epoch_loss_sum = 0;
    progress_.epoch_count = 0;
    if (!session_.first()) return;
    const Averaged averaged(task_.average);
    const Json metrics = task_.evaluate(epoch, last);
    line_.update(metrics);
    session_.folder().journal().append(line_);
    Json event = {{"event", "epoch"}, {"epoch", epoch}, {"train_loss", progress_.last_epoch_loss}};
    event.update(metrics);
    session_.event(event);
    session_.folder().log(fmt::format("epoch {}: {}", epoch, line_.dump()));
    if (task_.options.keep_epochs > 0 && epoch % task_.options.keep_epochs == 0)
      save_weights(session_.file(fmt::format("epoch-{}.safetensors", epoch)), joined(task_.parameters, task_.constants),
                   task_.description);
    const int64_t seen = progress_.step * task_.options.batch_size;
    Json summary = {{"epochs", epoch},
                    {"steps", progress_.step},
                    {"images_seen", seen},
                    {"seconds", progress_.seconds},
                    {"images_per_second", progress_.seconds > 0 ? static_cast<double>(seen) / progress_.seconds : 0},
                    {"skipped_steps", progress_.skipped},
                    {"train_loss", progress_.last_epoch_loss}};
    for (const auto& [key, name] : {std::pair{"val.loss", "val_loss"},
                                    {"val.top1", "val_top1"},
                                    {"val.accuracy", "val_accuracy"},
                                    {"val.perplexity", "val_perplexity"}})
      if (metrics.contains(key)) summary[name] = metrics[key];
    session_.folder().update_summary(summary);
    session_.ingest();
    interval_.restart();  // evaluation is no training time
  }

  void show_progress(int64_t per_epoch) {
    const double rate = watch_.seconds() / static_cast<double>(std::max<int64_t>(1, progress_.step - first_step_));
    session_.event(
        {{"event", "progress"},
         {"epoch", static_cast<double>(progress_.step) / static_cast<double>(per_epoch)},
         {"epochs", static_cast<double>(task_.steps) / static_cast<double>(per_epoch)},
         {"step", progress_.step},
         {"steps", task_.steps},
         {"loss", last_loss_},
         {"lr", task_.schedule.rate(progress_.step - 1)},
         {"images_per_second",
          images_per_second_ > 0 ? images_per_second_ : static_cast<double>(task_.options.batch_size) / rate},
         {"seconds_left", rate * static_cast<double>(task_.steps - progress_.step)}});
  }

  void save_if_due(bool epoch_end, bool last) {
    const bool by_steps = task_.options.save_steps > 0 && progress_.step % task_.options.save_steps == 0;
    const bool by_time = task_.options.save_minutes > 0 && since_save_.seconds() >= 60 * task_.options.save_minutes;
    if (last || by_steps || by_time || (epoch_end && since_save_.seconds() >= kEpochSaveSeconds)) save();
  }

  // Every tensor that a run goes on from.
  NamedTensors checkpoint() const {
    NamedTensors all = joined(task_.parameters, task_.constants);
    const auto add = [&](const NamedTensors& state) { all.insert(all.end(), state.begin(), state.end()); };
    add(task_.optimizer.state());
    if (task_.average != nullptr) add(task_.average->state());
    return all;
  }

  void save() {
    if (!session_.first()) return;
    session_.folder().journal().sync();
    progress_.journal_bytes = session_.folder().journal().bytes();
    Metadata metadata = progress_.to_metadata();
    metadata.insert(task_.description.begin(), task_.description.end());
    std::vector<Tensor> keep;
    write_safetensors(session_.file("last.safetensors"), views_of(checkpoint(), keep), metadata);
    since_save_.restart();
  }

  void resume() {
    const fs::path path = session_.file("last.safetensors");
    if (session_.first() && fs::exists(path)) {
      const TensorFile file = TensorFile::open(path);
      copy_into(checkpoint(), file);
      progress_ = Progress::from_metadata(file.metadata());
      session_.message(fmt::format("going on from step {} of {}", progress_.step, task_.steps));
    }
    group_.broadcast(checkpoint());
    if (group_.many())
      progress_ =
          Progress::from_metadata(Json::parse(group_.from_first(Json(progress_.to_metadata()).dump())).get<Metadata>());
    first_step_ = progress_.step;
    if (session_.first()) session_.folder().open_journal(progress_.journal_bytes);
  }

  Session& session_;
  Group& group_ = session_.group();
  const TrainTask& task_;
  Progress& progress_;
  StopWatch watch_, interval_, since_save_;
  double start_seconds_ = 0, data_wait_ = 0, last_loss_ = 0, images_per_second_ = 0;
  int64_t images_ = 0, first_step_ = 0;
  int crash_reports_ = 0;
  std::vector<std::pair<Tensor, Tensor>> pending_;  // loss and gradient norm of steps not yet read
  std::deque<double> losses_;
  Json line_;
};

}  // namespace

Ending train(Session& session, const TrainTask& task, Progress& progress) {
  const Ending ending = Loop(session, task, progress).run();
  for (const SkippedImage& skipped : task.loader.skipped()) session.message("skipped: " + skipped.message);
  return ending;
}

void save_weights(const fs::path& path, const NamedTensors& tensors, const Metadata& description) {
  std::vector<Tensor> keep;
  write_safetensors(path, views_of(tensors, keep), description);
}

}  // namespace simmim
