// What a sweep file may say, for `simmim sweep --help` and the manual page.
#pragma once
#include <string>

namespace simmim {

std::string sweep_file_text();

}  // namespace simmim
