#include "parallel/store.h"

#include <cstdlib>
#include <stdexcept>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

namespace simmim {
// c10d's headers bring an fmt of their own: no header of ours that uses it may come near.
namespace {

std::string key() {  // a store that outlives a restart by torchrun has one a try
  const char* attempt = std::getenv("TORCHELASTIC_RESTART_COUNT");
  return std::string("simmim/") + (attempt != nullptr ? attempt : "0");
}

}  // namespace

std::string meet_at_store(const Launch& launch, const std::function<std::string()>& words_of_first) {
  c10d::TCPStoreOptions options;
  options.port = static_cast<uint16_t>(launch.port);
  options.isServer = launch.rank == 0 && !launch.hosts_store;
  options.numWorkers = static_cast<size_t>(launch.size);
  options.waitWorkers = false;
  options.timeout = std::chrono::minutes(5);
  static c10::intrusive_ptr<c10d::TCPStore> store;
  store = c10::make_intrusive<c10d::TCPStore>(launch.address, options);
  if (launch.rank == 0) {
    const std::string words = words_of_first();
    store->set(key(), std::vector<uint8_t>(words.begin(), words.end()));
    return words;
  }
  const std::vector<uint8_t> got = store->get(key());
  return {got.begin(), got.end()};
}

}  // namespace simmim
