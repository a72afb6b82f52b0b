// TCP as the control connections need it: descriptors that the caller closes, -1 where there is none (errno says why).
#pragma once
#include <cstddef>
#include <string>
#include <vector>

namespace simmim {

// Listens on a free port, which is written to `port`; one_host: on the loopback alone.
int listen_for(int peers, bool one_host, int& port);
int accept_one(int listener);
int connect_within(const std::string& address, int port, int milliseconds);

// All of them, or false: the other end has closed, or the patience is over.
bool send_bytes(int descriptor, const void* bytes, size_t count);
bool receive_bytes(int descriptor, void* bytes, size_t count);
void give_up_after(int descriptor, int seconds);  // of receiving; 0: never

std::vector<std::string> own_addresses();  // IPv4, without the loopback

}  // namespace simmim
