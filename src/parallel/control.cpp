#include "parallel/control.h"

#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <sstream>
#include <utility>

#include "parallel/socket.h"
#include "runs/run_folder.h"

namespace simmim {
namespace {

constexpr int kPatienceMs = 60'000;  // for a process that has started and must only connect
constexpr uint32_t kMostPayload = 1u << 30;

struct Header {
  uint32_t kind, bytes;
};
struct Hello {
  char token[16];
  int32_t rank;
};

std::string with_code(Code code, const std::string& text) { return static_cast<char>(code) + text; }

}  // namespace

Control Control::listen(int size, bool one_host) {
  Control control(0, size);
  int port = 0;
  control.listener_ = listen_for(size, one_host, port);
  if (control.listener_ < 0)
    fail(Code::run_failed, "rank 0 cannot listen for the other processes: {}", std::strerror(errno));
  uint64_t random = 0;
  SIMMIM_CHECK(::getrandom(&random, sizeof random, 0) == sizeof random, "no random number");
  control.token_ = fmt::format("{:016x}", random);
  control.invitation_ = fmt::format("{} {} {}", port, control.token_, host_name());
  for (const std::string& address : own_addresses()) control.invitation_ += " " + address;
  return control;
}

void Control::accept_all() {
  int missing = size_ - 1;
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(kPatienceMs);
  while (missing > 0) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    pollfd one{listener_, POLLIN, 0};
    const int ready = left.count() > 0 ? ::poll(&one, 1, static_cast<int>(left.count())) : 0;
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0)
      fail(Code::run_failed, "{} of {} processes did not come within {} s; start them all anew", missing, size_,
           kPatienceMs / 1000);
    const int descriptor = accept_one(listener_);
    if (descriptor < 0) continue;
    give_up_after(descriptor, 5);
    Hello hello{};
    const bool ours = receive_bytes(descriptor, &hello, sizeof hello) &&
                      std::memcmp(hello.token, token_.data(), sizeof hello.token) == 0 && hello.rank > 0 &&
                      hello.rank < size_ && peers_[static_cast<size_t>(hello.rank)] < 0;
    give_up_after(descriptor, 0);
    if (ours) {
      peers_[static_cast<size_t>(hello.rank)] = descriptor;
      --missing;
    } else {
      ::close(descriptor);  // a stranger
    }
  }
  ::close(listener_);
  listener_ = -1;
}

Control Control::connect(int rank, int size, const std::string& invitation) {
  Control control(rank, size);
  std::istringstream words(invitation);
  int port = 0;
  std::string host;
  words >> port >> control.token_ >> host;
  std::vector<std::string> addresses;
  if (host == host_name()) addresses.emplace_back("127.0.0.1");
  for (std::string address; words >> address;) addresses.push_back(address);
  for (const std::string& address : addresses) {
    const int descriptor = connect_within(address, port, 5000);
    if (descriptor < 0) continue;
    Hello hello{{}, rank};
    std::memcpy(hello.token, control.token_.data(), sizeof hello.token);
    control.peers_[0] = descriptor;
    if (send_bytes(descriptor, &hello, sizeof hello)) return control;
  }
  fail(Code::run_failed, "rank {} on {} cannot reach rank 0 on {}, port {}; do the hosts reach one another by TCP?",
       rank, host_name(), host, port);
}

Control::Control(Control&& other) noexcept
    : rank_(other.rank_),
      size_(other.size_),
      listener_(std::exchange(other.listener_, -1)),
      peers_(std::exchange(other.peers_, {})),
      invitation_(std::move(other.invitation_)),
      token_(std::move(other.token_)) {}

Control::~Control() {
  for (const int descriptor : peers_)
    if (descriptor >= 0) ::close(descriptor);
  if (listener_ >= 0) ::close(listener_);
}

void Control::send(int peer, Kind kind, std::string_view payload) {
  const Header header{static_cast<uint32_t>(kind), static_cast<uint32_t>(payload.size())};
  std::string frame(reinterpret_cast<const char*>(&header), sizeof header);
  frame += payload;
  const int descriptor = peers_[static_cast<size_t>(peer)];
  // A peer that has failed has said why before it closed its end.
  if (!send_bytes(descriptor, frame.data(), frame.size()) && kind == Kind::data) receive(peer);
}

// The next words of a peer; throws if they are its last.
std::string Control::receive(int peer) {
  const int descriptor = peers_[static_cast<size_t>(peer)];
  Header header{};
  if (!receive_bytes(descriptor, &header, sizeof header) || header.bytes > kMostPayload) lost(peer);
  std::string payload(header.bytes, '\0');
  if (!receive_bytes(descriptor, payload.data(), payload.size())) lost(peer);
  if (header.kind != static_cast<uint32_t>(Kind::data)) hear(peer, static_cast<Kind>(header.kind), payload);
  return payload;
}

void Control::hear(int peer, Kind kind, const std::string& payload) {
  if (kind == Kind::end) throw Ended{};
  SIMMIM_CHECK(kind == Kind::failure && !payload.empty(), "words of kind {}", static_cast<uint32_t>(kind));
  const std::string text = payload.substr(1);
  first_has_failed_ = peer == 0;
  throw Error(static_cast<Code>(payload[0]), peer == 0 ? text : fmt::format("rank {} of {}: {}", peer, size_, text));
}

void Control::lost(int peer) {
  throw Lost(Code::run_failed,
             fmt::format("rank {} of {} is gone (killed, out of memory, or its host is down); the same command goes on "
                         "from the last checkpoint, on any number of processes",
                         peer, size_));
}

void Control::check() {
  std::vector<pollfd> ends;
  std::vector<int> who;
  for (int peer = 0; peer < size_; ++peer)
    if (const int descriptor = peers_[static_cast<size_t>(peer)]; descriptor >= 0) {
      ends.push_back({descriptor, POLLIN | POLLRDHUP, 0});
      who.push_back(peer);
    }
  if (::poll(ends.data(), ends.size(), 0) <= 0) return;
  for (size_t i = 0; i < ends.size(); ++i) {
    if (ends[i].revents == 0) continue;
    Header header{};
    const ssize_t peeked = ::recv(ends[i].fd, &header, sizeof header, MSG_PEEK | MSG_DONTWAIT);
    const bool whole = peeked == sizeof header, data = whole && header.kind == static_cast<uint32_t>(Kind::data);
    if (whole && !data) receive(who[i]);  // throws
    // Words that are ahead of us are no use once it is gone.
    if (peeked == 0 || (ends[i].revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0) lost(who[i]);
  }
}

std::vector<double> Control::sum(std::vector<double> values) {
  const size_t bytes = values.size() * sizeof(double);
  const auto text = [&] { return std::string_view(reinterpret_cast<const char*>(values.data()), bytes); };
  if (rank_ == 0) {
    std::vector<double> theirs(values.size());
    for (int peer = 1; peer < size_; ++peer) {
      const std::string words = receive(peer);
      SIMMIM_CHECK(words.size() == bytes, "rank {} adds {} bytes to {}", peer, words.size(), bytes);
      std::memcpy(theirs.data(), words.data(), bytes);
      for (size_t i = 0; i < values.size(); ++i) values[i] += theirs[i];
    }
    for (int peer = 1; peer < size_; ++peer) send(peer, Kind::data, text());
  } else {
    send(0, Kind::data, text());
    const std::string words = receive(0);
    SIMMIM_CHECK(words.size() == bytes, "rank 0 answers {} bytes to {}", words.size(), bytes);
    std::memcpy(values.data(), words.data(), bytes);
  }
  return values;
}

std::string Control::from_first(std::string words) {
  if (rank_ != 0) return receive(0);
  for (int peer = 1; peer < size_; ++peer) send(peer, Kind::data, words);
  return words;
}

bool Control::fail_all(Code code, const std::string& text) {
  if (first_has_failed_) return true;
  for (int peer = 0; peer < size_; ++peer)
    if (peers_[static_cast<size_t>(peer)] >= 0) send(peer, Kind::failure, with_code(code, text));
  if (rank_ == 0) return true;
  try {  // rank 0 answers with what it will say
    while (true) receive(0);
  } catch (const Ended&) {
    return true;
  } catch (const Lost&) {
    return false;
  } catch (const Error&) {
    return true;
  }
}

void Control::end_all() {
  for (int peer = 1; peer < size_; ++peer)
    if (peers_[static_cast<size_t>(peer)] >= 0) send(peer, Kind::end, "");
}

void Control::wait_for_first(int seconds) {
  if (rank_ == 0 || peers_.empty() || peers_[0] < 0) return;
  give_up_after(peers_[0], seconds);
  char ignored[4096];
  while (::recv(peers_[0], ignored, sizeof ignored, 0) > 0) {
  }
}

}  // namespace simmim
