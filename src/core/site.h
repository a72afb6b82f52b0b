// What is true of this machine or cluster and no run's business: ~/.config/simmim/site.json. It never enters an id.
#pragma once
#include <string>

#include "core/fields.h"
#include "core/files.h"

namespace simmim {

struct Site {
  std::string data;             // folder of data sets
  Json slurm = Json::object();  // resources of every run on the cluster; a sweep's own stand above them

  static void fields(auto& o, auto&& visit) {
    visit("data", o.data, "folder of data sets");
    visit("slurm", o.slurm, "partition, account and other resources of Slurm jobs");
  }
};

fs::path site_file();  // ${XDG_CONFIG_HOME:-~/.config}/simmim/site.json
Site read_site();      // what the file says, if there is one; Code::usage with its path for anything unknown in it

}  // namespace simmim
