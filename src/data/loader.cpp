// Work is handed out in small pieces of a batch, in order; a batch is a slot of a ring of three: one with the caller,
// one ready, one being filled. A slot's memory is reused.
#include "data/loader.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "data/sample.h"

namespace simmim {
namespace {

constexpr int64_t kRing = 3;
constexpr int64_t kPiece = 16;  // most images a piece
constexpr int64_t kUnreadableInARow = 1000;

using Order = std::shared_ptr<const std::vector<int64_t>>;

struct Slot {
  Batch batch;
  Order order;                  // of the batch's epoch: position -> index
  std::vector<uint8_t> filled;  // (B), 0: unreadable and left out
  int64_t number = -1;          // epoch * steps + step
  int64_t pieces_left = 0;
  std::exception_ptr error;
};

// What one thread needs to turn an index into pixels.
struct Tools {
  Image image;
  Sampler::Tools sampling;
};

}  // namespace

struct Loader::State {
  State(const Dataset& data, LoaderOptions loader_options);

  Slot& slot_of(int64_t number) { return ring[static_cast<size_t>(number % kRing)]; }
  // Images of a whole batch, and of our share of it.
  int64_t whole_batch(int64_t number) const {
    return std::min(options.batch_size, images - number % steps * options.batch_size);
  }
  int64_t own(int64_t whole) const { return whole / options.shares; }
  void prepare(int64_t number);  // under the mutex
  void fill(Slot& slot, int64_t begin, int64_t end, Tools& mine);
  bool read(int64_t epoch, int64_t index, Tools& mine, uint8_t* pixels, std::vector<Erasure>& erasures);
  void work();
  bool work_waits() const { return next_piece / pieces < std::min(next_batch + kRing, end_batch); }
  void stop_workers();

  const Dataset& dataset;
  const LoaderOptions options;
  const Sampler sample;
  std::vector<int64_t> indices;
  int64_t images = 0, steps = 0;
  int64_t piece_images = 1, pieces = 1;  // images a piece, pieces a batch

  mutable std::mutex mutex;
  std::condition_variable work_there, piece_done;
  std::array<Slot, kRing> ring;
  int64_t next_piece = 0;                 // of all epochs: batch number * pieces + piece
  int64_t next_batch = 0, end_batch = 0;  // batches before next_batch are free, end_batch is never made
  bool lent = false;                      // next_batch is with the caller
  int64_t active = 0;                     // pieces in work
  bool stop = false;
  std::pair<int64_t, Order> latest_order{-1, nullptr};
  std::map<int64_t, std::string> skipped;
  Tools tools;  // the caller's, without workers
  std::vector<std::thread> threads;
};

Loader::State::State(const Dataset& data, LoaderOptions loader_options)
    : dataset(data), options(std::move(loader_options)), sample(options), indices(options.subset) {
  if (indices.empty())
    for (int64_t i = 0; i < dataset.size(options.split); ++i) indices.push_back(i);
  images = static_cast<int64_t>(indices.size());
  const int64_t batch = options.batch_size;
  SIMMIM_CHECK(batch > 0 && options.image_size > 0 && options.workers >= 0, "{} {}", batch, options.workers);
  SIMMIM_CHECK(options.shares == 1 || (batch % options.shares == 0 && options.drop_last && options.shuffle),
               "{} images in {} shares", batch, options.shares);
  if (images == 0) fail(Code::usage, "data: the {} split has no images", split_name(options.split));
  steps = options.drop_last ? images / batch : (images + batch - 1) / batch;
  if (steps == 0)
    fail(Code::usage, "batch_size: {} is more than the {} images of the {} split; choose at most {}", batch, images,
         split_name(options.split), images);
  const int64_t workers = std::max<int64_t>(options.workers, 1);
  piece_images = std::clamp<int64_t>(own(batch) / (2 * workers), 1, kPiece);
  pieces = (own(batch) + piece_images - 1) / piece_images;
}

// The epoch's order is made by whoever comes first to a batch of it.
void Loader::State::prepare(int64_t number) {
  const int64_t epoch = number / steps;
  if (latest_order.first != epoch || latest_order.second == nullptr) {
    std::vector<int64_t> order = indices;
    if (options.shuffle) Rng(options.seed, "order", static_cast<uint64_t>(epoch)).shuffle(order);
    latest_order = {epoch, std::make_shared<const std::vector<int64_t>>(std::move(order))};
  }
  Slot& slot = slot_of(number);
  const int64_t whole = whole_batch(number);
  const size_t count = static_cast<size_t>(own(whole));
  slot.order = latest_order.second;
  slot.batch.epoch = epoch, slot.batch.step = number % steps;
  slot.batch.first = options.share * own(whole), slot.batch.whole = whole;
  slot.batch.pixels.resize(count * static_cast<size_t>(3 * options.image_size * options.image_size));
  slot.batch.labels.resize(count);
  slot.batch.indices.resize(count);
  slot.batch.erasures.assign(count, {});
  slot.filled.assign(count, 0);
  slot.number = number, slot.pieces_left = pieces, slot.error = nullptr;
}

// One image into its place; false: unreadable, and noted.
bool Loader::State::read(int64_t epoch, int64_t index, Tools& mine, uint8_t* pixels, std::vector<Erasure>& erasures) {
  try {
    dataset.load(options.split, index, mine.image);
  } catch (const ImageError& error) {
    if (options.fail_on_error) throw;
    const std::lock_guard lock(mutex);
    skipped.emplace(index, error.what());
    return false;
  }
  sample(mine.image, epoch, index, mine.sampling, pixels, erasures);
  return true;
}

void Loader::State::fill(Slot& slot, int64_t begin, int64_t end, Tools& mine) {
  Batch& batch = slot.batch;
  const int64_t bytes = 3 * options.image_size * options.image_size;
  for (int64_t i = begin; i < std::min(end, batch.size()); ++i) {
    const auto at = static_cast<size_t>(i);
    const int64_t position = batch.step * options.batch_size + batch.first + i;
    const int64_t tries = options.shuffle ? std::min(images, kUnreadableInARow) : 1;
    for (int64_t t = 0; t < tries && slot.filled[at] == 0; ++t) {
      const int64_t index = (*slot.order)[static_cast<size_t>((position + t) % images)];
      if (!read(batch.epoch, index, mine, batch.pixels.data() + i * bytes, batch.erasures[at])) continue;
      batch.indices[at] = index;
      batch.labels[at] = dataset.label(options.split, index);
      slot.filled[at] = 1;
    }
    if (options.shuffle && slot.filled[at] == 0) {
      const std::lock_guard lock(mutex);
      fail(Code::data, "data: {} images of {} in a row cannot be read, among them: {}", tries,
           split_name(options.split), skipped.begin()->second);
    }
  }
}

void Loader::State::work() {
  Tools mine;
  std::unique_lock lock(mutex);
  while (true) {
    work_there.wait(lock, [&] { return stop || work_waits(); });
    if (stop) return;
    const int64_t number = next_piece / pieces, piece = next_piece % pieces;
    ++next_piece, ++active;
    Slot& slot = slot_of(number);
    std::exception_ptr error;
    try {
      if (piece == 0) prepare(number);
      lock.unlock();
      fill(slot, piece * piece_images, (piece + 1) * piece_images, mine);
    } catch (...) {
      error = std::current_exception();
    }
    if (!lock.owns_lock()) lock.lock();
    if (error && !slot.error) slot.error = error;
    --active, --slot.pieces_left;
    if (slot.pieces_left == 0 || active == 0) piece_done.notify_all();
  }
}

void Loader::State::stop_workers() {
  {
    const std::lock_guard lock(mutex);
    stop = true;
  }
  work_there.notify_all();
  for (std::thread& thread : threads) thread.join();
  threads.clear();
}

Loader::Loader(const Dataset& dataset, LoaderOptions options)
    : state_(std::make_unique<State>(dataset, std::move(options))) {
  seek(0, 0);
  for (int64_t i = 0; i < state_->options.workers; ++i) state_->threads.emplace_back([this] { state_->work(); });
}

Loader::~Loader() { state_->stop_workers(); }

int64_t Loader::images() const { return state_->images; }
int64_t Loader::steps_per_epoch() const { return state_->steps; }

void Loader::seek(int64_t epoch, int64_t step) {
  State& s = *state_;
  SIMMIM_CHECK(epoch >= 0 && step >= 0 && step <= s.steps, "epoch {} step {} of {}", epoch, step, s.steps);
  std::unique_lock lock(s.mutex);
  s.next_batch = s.end_batch = 0;  // nothing more is handed out
  s.piece_done.wait(lock, [&] { return s.active == 0; });
  s.lent = false;
  s.next_batch = epoch * s.steps + step;
  s.next_piece = s.next_batch * s.pieces;
  s.end_batch = s.options.endless ? std::numeric_limits<int64_t>::max() : (epoch + 1) * s.steps;
  for (Slot& slot : s.ring) slot.number = -1;
  lock.unlock();
  s.work_there.notify_all();
}

const Batch* Loader::next() {
  State& s = *state_;
  const auto start = std::chrono::steady_clock::now();
  while (true) {
    std::unique_lock lock(s.mutex);
    if (s.lent) ++s.next_batch;
    s.lent = false;
    if (s.next_batch >= s.end_batch) return nullptr;
    Slot& slot = s.slot_of(s.next_batch);
    s.lent = true;
    if (s.options.workers == 0) {
      s.prepare(s.next_batch);
      lock.unlock();
      s.fill(slot, 0, s.options.batch_size, s.tools);
    } else {
      s.work_there.notify_all();
      s.piece_done.wait(lock, [&] { return slot.number == s.next_batch && slot.pieces_left == 0; });
      if (slot.error) std::rethrow_exception(slot.error);
      lock.unlock();
    }
    Batch& batch = slot.batch;  // unreadable images of an evaluation are left out
    const size_t bytes = static_cast<size_t>(3 * s.options.image_size * s.options.image_size);
    size_t kept = 0;
    for (size_t i = 0; i < slot.filled.size(); ++i) {
      if (slot.filled[i] == 0) continue;
      if (kept != i) {
        std::copy_n(batch.pixels.begin() + static_cast<int64_t>(i * bytes), bytes,
                    batch.pixels.begin() + static_cast<int64_t>(kept * bytes));
        batch.labels[kept] = batch.labels[i], batch.indices[kept] = batch.indices[i];
        batch.erasures[kept] = std::move(batch.erasures[i]);
      }
      ++kept;
    }
    if (kept == 0) continue;
    batch.pixels.resize(kept * bytes);
    batch.labels.resize(kept);
    batch.indices.resize(kept);
    batch.erasures.resize(kept);
    batch.wait_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return &batch;
  }
}

std::vector<SkippedImage> Loader::skipped() const {
  const std::lock_guard lock(state_->mutex);
  std::vector<SkippedImage> out;
  for (const auto& [index, message] : state_->skipped) out.push_back({index, message});
  return out;
}

int64_t default_workers(bool accelerator) {
  const int64_t cores = std::max<int64_t>(1, std::thread::hardware_concurrency());
  return std::clamp<int64_t>(accelerator ? cores - 1 : cores / 4, 1, 64);
}

}  // namespace simmim
