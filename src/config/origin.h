// --from: where a stage's weights come from, and what they say of the configuration.
#pragma once
#include <map>
#include <string>

#include "config/layers.h"

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

// What the weights say, as the lowest layer of a stage; a window that followed from their size follows another size
// that `above` asks for.
Layer inherited_layer(const Origin& origin, const std::string& from, const std::string& stage,
                      const std::vector<Layer>& above);

// Refuses (Code::usage) a Swin V2 of another program whose window or image size neither its file nor `config`, the
// merged one, says: its biases are computed from them.
void need_sizes(const Origin& origin, const std::string& from, const std::string& stage, const Json& config);

}  // namespace simmim
