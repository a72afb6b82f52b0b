// The manual page, made from the same tables as --help.
#pragma once
#include <string>

namespace simmim {

std::string manual_page();  // troff, section 1

}  // namespace simmim
