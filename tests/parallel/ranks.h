// The processes of a run as threads of a test.
#pragma once
#include <functional>
#include <thread>

#include "parallel/control.h"

namespace simmim {

// Runs `work` as every rank of a group, each in a thread of its own.
inline void as_ranks(int size, const std::function<void(int rank, Control& control)>& work) {
  Control first = Control::listen(size, /*one_host=*/true);
  std::vector<std::thread> others;
  for (int rank = 1; rank < size; ++rank)
    others.emplace_back([&, rank, invitation = first.invitation()] {
      Control control = Control::connect(rank, size, invitation);
      work(rank, control);
    });
  first.accept_all();
  {
    Control mine = std::move(first);
    work(0, mine);
  }
  for (std::thread& other : others) other.join();
}

}  // namespace simmim
