// Libraries beside the engine that are loaded where they are of use.
#pragma once
#include <string>

namespace simmim {

// `symbol` of the library `file` in the engine's own folder, loaded at most once and never closed, since its static
// objects outlive main. nullptr: `why_not` says in a clause what is wrong; `needs`: what a build of it takes.
void* plugin_symbol(const std::string& file, const char* symbol, const std::string& needs, std::string& why_not);

}  // namespace simmim
