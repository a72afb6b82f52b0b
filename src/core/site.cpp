#include "core/site.h"

#include <cstdlib>

namespace simmim {

fs::path site_file() {
  const char* config = std::getenv("XDG_CONFIG_HOME");
  return (config != nullptr && *config != '\0' ? fs::path(config) : home_folder() / ".config") / "simmim/site.json";
}

Site read_site() {
  Site site;
  std::error_code ignored;
  if (const fs::path file = site_file(); fs::exists(file, ignored))
    read_fields(site, read_json_file(file), file.string());
  if (!site.slurm.is_object())
    fail(Code::usage, "{}.slurm: got {}; allowed: an object", site_file().string(), site.slurm.dump());
  return site;
}

}  // namespace simmim
