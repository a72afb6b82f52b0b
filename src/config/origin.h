// --from: where a stage's weights come from, and what they say of the configuration.
#pragma once
#include <map>
#include <string>

#include "core/files.h"
#include "core/json.h"

namespace simmim {

// Where a stage's weights come from.
struct Origin {
  std::string parent;       // id of a run, or ""
  std::string unversioned;  // the same run's (run_id.h)
  std::string file;         // weights to read, or "" (the parent is a run of this request, or there are none)
  std::map<std::string, std::string> determines;  // content hash of a file, epoch of a run: what the id must know
  Json inherited = Json::object();                // the lowest configuration layer
};

// from: RUN, RUN@EPOCH or a checkpoint file ("", "scratch" and "pretrain" name none); runs are looked up in `out`.
// latest_kind: which kind of run "latest" means here. Code::usage for a run that is unknown or unfinished, Code::data
// for a file that cannot be read.
Origin origin_of(const fs::path& out, const std::string& from, const std::string& latest_kind);

}  // namespace simmim
