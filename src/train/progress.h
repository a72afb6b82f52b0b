// How far a training has come.
#pragma once
#include <map>
#include <string>

#include "weights/tensor_file.h"

namespace simmim {

// What a checkpoint must carry besides tensors so that the run goes on as if it had not stopped.
struct Progress {
  int64_t step = 0;     // optimizer steps done
  int64_t skipped = 0;  // of them not applied: loss or gradient was not finite
  int64_t skipped_in_row = 0;
  double loss_sum = 0;  // since the last journal line
  double norm_sum = 0;
  int64_t count = 0;
  double epoch_loss_sum = 0;  // since the epoch began
  int64_t epoch_count = 0;
  double last_epoch_loss = 0;  // mean of the last whole epoch
  double seconds = 0;          // training time over all attempts
  uint64_t journal_bytes = 0;
  std::map<std::string, std::string> extra;  // the stage's own (best epoch)

  Metadata to_metadata() const;
  static Progress from_metadata(const Metadata& metadata);
};

}  // namespace simmim
