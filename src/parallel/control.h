// Small messages between the processes of a run, over TCP with rank 0 in the middle: sums of numbers, rank 0's words,
// and failures. A connection that closes is a process that is gone, so nobody waits for a dead one.
#pragma once
#include <string>
#include <vector>

#include "core/error.h"

namespace simmim {

class Control {
 public:
  // Rank 0: listens; the text tells the others how to find it ("PORT TOKEN HOST ADDRESS..."). one_host: nobody else
  // may connect.
  static Control listen(int size, bool one_host);
  const std::string& invitation() const { return invitation_; }
  void accept_all();  // Code::run_failed if somebody does not come within a minute

  // The others.
  static Control connect(int rank, int size, const std::string& invitation);

  Control(Control&& other) noexcept;
  Control& operator=(Control&&) = delete;
  ~Control();

  // Element by element over all ranks, added in the order of the ranks: the same bits everywhere. Every rank calls it
  // with as many values.
  std::vector<double> sum(std::vector<double> values);
  std::string from_first(std::string words);  // rank 0's, on every rank

  // Throws what another rank has said that ends the run, or that one is gone. Cheap; for those who wait.
  void check();

  // This rank fails: the others are told. True if rank 0 knows, and says it for all.
  bool fail_all(Code code, const std::string& text);
  // Nothing went wrong. The others' next call throws Ended.
  void end_all();
  // Waits until rank 0 has closed its end, at most `seconds`: a launcher kills all when one ends with an error, and
  // rank 0 has things to write down.
  void wait_for_first(int seconds);

  struct Ended : std::runtime_error {  // rank 0 has nothing more to do
    Ended() : std::runtime_error("rank 0 has ended") {}
  };
  struct Lost : Error {  // a rank is gone without a word
    using Error::Error;
  };

 private:
  Control(int rank, int size) : rank_(rank), size_(size), peers_(static_cast<size_t>(size), -1) {}
  enum class Kind : uint32_t { data, failure, end };
  void send(int peer, Kind kind, std::string_view payload);
  std::string receive(int peer);
  [[noreturn]] void hear(int peer, Kind kind, const std::string& payload);
  [[noreturn]] void lost(int peer);

  int rank_, size_, listener_ = -1;
  bool first_has_failed_ = false;
  std::vector<int> peers_;  // descriptors; of rank 0: every other's, else only [0]
  std::string invitation_, token_;
};

}  // namespace simmim
