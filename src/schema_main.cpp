// simmim-schema FILE: writes what the front must know of the engine's options, as a C++ source that it is built with.
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

#include "engine.h"

int main(int argc, char** argv) {
  char* answer = nullptr;
  if (argc != 2 || simmim_engine_call("{\"command\": \"schema\"}", nullptr, nullptr, &answer) != 0) {
    std::fprintf(stderr, "simmim-schema: %s\n", answer != nullptr ? answer : "usage: simmim-schema FILE");
    return 1;
  }
  // Pieces, because a string literal of the standard's size limit is shorter than the schema may become.
  std::ostringstream out;
  out << "namespace simmim { extern const char* const kSchemaJson; const char* const kSchemaJson =\n";
  const std::string text = answer;
  for (size_t at = 0; at < text.size(); at += 2000) out << "R\"json(" << text.substr(at, 2000) << ")json\"\n";
  out << "; }\n";
  simmim_engine_free(answer);
  std::ostringstream before;  // a file that says so already stays, so that nothing is built again
  before << std::ifstream(argv[1]).rdbuf();
  return before.str() == out.str() || std::ofstream(argv[1]) << out.str() << std::flush ? 0 : 1;
}
