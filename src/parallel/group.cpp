#include "parallel/group.h"

#include "kernels/device.h"
#include "parallel/store.h"

namespace simmim {
namespace {

constexpr int kWaitMs = 20;            // how often one who waits looks whether the others are still there
constexpr int kLastWordsSeconds = 60;  // for rank 0 to save and write down

std::string share_through(Wire& wire, std::string words) {
  const Tensor size = at::full({1}, static_cast<int64_t>(words.size()), at::kLong);
  const auto wait = [&] {
    while (!wire.done_within(1000)) {
    }
  };
  wire.start_broadcast(size);
  wait();
  words.resize(static_cast<size_t>(size.item<int64_t>()));
  wire.start_broadcast(at::from_blob(words.data(), {static_cast<int64_t>(words.size())}, at::kByte));
  wait();
  return words;
}

std::string how_to_start(const Launch& launch) {
  return fmt::format("mpirun -n {0} simmim ..., or srun --mpi=pmix -n {0} simmim ... under Slurm", launch.size);
}

}  // namespace

Group::Group() = default;
Group::~Group() = default;

void Group::join(const Launch& launch) {
  if (!launch.many() || many()) return;
  speaks_ = launch.local_rank == 0;
  const bool gpus = !resolve_device("auto").is_cpu();
  if (launch.has_mpi) {
    MpiWorld world = open_mpi();
    if (world.size != launch.size || world.rank != launch.rank)
      fail(Code::usage,
           "{} says {} processes, but MPI finds {}, so each would do the whole run alone; start them by {}, or one "
           "process without {}",
           launch.says, launch.size, world.size, how_to_start(launch), launch.says);
    mpi_ = std::move(world.wire);
  } else if (!gpus) {
    fail(Code::usage,
         "{} says {} processes, but nothing connects them on CPUs{}, so each would do the whole run alone; start them "
         "by {}, or one process without {}",
         launch.says, launch.size,
         launch.launcher == "srun" ? " (srun without --mpi=pmix, or no srun at all)" : " (torchrun brings no MPI)",
         how_to_start(launch), launch.says);
  } else if (launch.address.empty() || launch.port == 0) {
    fail(Code::usage, "{} says {} processes, but not where they meet; set MASTER_ADDR and MASTER_PORT", launch.says,
         launch.size);
  }
  meet(launch);
  launch_ = launch;
}

void Group::meet(const Launch& launch) {
  std::optional<Control> listening;
  const auto invite = [&] {
    listening.emplace(Control::listen(launch.size, launch.local_size == launch.size));
    return listening->invitation();
  };
  const std::string invitation =
      mpi_ == nullptr ? meet_at_store(launch, invite) : share_through(*mpi_, launch.rank == 0 ? invite() : "");
  if (launch.rank == 0) {
    listening->accept_all();
    control_.emplace(std::move(*listening));
  } else {
    control_.emplace(Control::connect(launch.rank, launch.size, invitation));
  }
}

double Group::sum(double value) { return many() ? control_->sum({value})[0] : value; }

std::string Group::from_first(std::string words) {
  return many() ? control_->from_first(std::move(words)) : std::move(words);
}

void Group::open_wire(at::Device device) {
  if (!many()) return;
  device_ = device;
  if (device.is_cpu()) {
    if (mpi_ == nullptr)
      fail(Code::usage,
           "device: got cpu, but {} brings no MPI to {} processes on CPUs; start them by {}, or use device=cuda",
           launch_.launcher, size(), how_to_start(launch_));
    wire_ = mpi_.get();
    return;
  }
  nccl_ = open_nccl(rank(), size(), device.index(), [&](std::string id) { return from_first(std::move(id)); });
  wire_ = nccl_.get();
}

void Group::broadcast(const NamedTensors& tensors) {
  if (!many()) return;
  const at::NoGradGuard no_grad;
  for (const auto& [name, tensor] : tensors) {
    const Tensor values = tensor.detach(), there = values.to(device_).contiguous();
    wire_->start_broadcast(there);
    wait();
    if (there.data_ptr() != values.data_ptr()) Tensor(values).copy_(there);
  }
}

void Group::start_sum(const Tensor& tensor) {
  if (many()) wire_->start_sum(tensor);
}

void Group::wait() {
  if (!many()) return;
  while (!wire_->done_within(kWaitMs)) control_->check();
}

std::string Group::fail_all(Code code, const std::string& text) {
  if (!many()) return speaks_ ? text : "";
  failed_ = true;
  const bool said = control_->fail_all(code, text);
  const bool speaks = first() || (!said && (rank() == 1 || launch_.local_rank == 0));
  return speaks ? text : "";
}

void Group::leave() {
  if (!many()) return;
  if (first() && failed_) return;  // the others wait for its end
  if (first()) control_->end_all();
  if (mpi_ != nullptr && !failed_) mpi_->close();
  if (!first()) control_->wait_for_first(kLastWordsSeconds);
  control_.reset();
  wire_ = nullptr;
  mpi_.reset();
  launch_ = {};
}

Group& this_group() {
  static Group group;
  return group;
}

}  // namespace simmim
