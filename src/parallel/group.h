// The processes that share one run. All of what a run does together goes through here: sums, rank 0's values, and
// ending together. Alone, everything is as if it were not there.
#pragma once
#include <memory>
#include <optional>

#include "core/launch.h"
#include "layers/scope.h"
#include "parallel/control.h"
#include "parallel/wire.h"

namespace simmim {

class Group {
 public:
  Group();  // of one
  ~Group();

  // Meets the other processes of a launch; all of them call it. Code::usage if there are not as many as the launch
  // says, so that never N of them do the same run alone; Code::device if what connects them is missing.
  void join(const Launch& launch);

  int rank() const { return launch_.rank; }
  int size() const { return launch_.size; }
  const Launch& launch() const { return launch_; }
  bool first() const { return rank() == 0; }
  bool many() const { return size() > 1; }

  // Numbers of the host over all ranks, the same bits everywhere.
  double sum(double value);
  bool any(bool value) { return sum(value ? 1 : 0) > 0; }
  std::string from_first(std::string words);

  // Tensors of `device` from here on. Code::device if there is no way for them.
  void open_wire(at::Device device);
  void broadcast(const NamedTensors& tensors);  // rank 0's values into everyone's
  void start_sum(const Tensor& tensor);         // see Wire
  void wait();                                  // for all that was started; throws what another rank failed with

  // This process has failed. Returns what it should print: nothing if rank 0 says it for all.
  std::string fail_all(Code code, const std::string& text);
  // The end of a process's part, after a failure too.
  void leave();

 private:
  void meet(const Launch& launch);
  Launch launch_;
  bool speaks_ = true;  // of what goes wrong before the processes have met
  std::unique_ptr<Wire> mpi_, nccl_;
  Wire* wire_ = nullptr;
  at::Device device_ = at::kCPU;
  std::optional<Control> control_;
  bool failed_ = false;
};

// Of this process.
Group& this_group();

}  // namespace simmim
