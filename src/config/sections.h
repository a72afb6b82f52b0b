// The sections of a configuration and what each of them may hold: the one place where every option list of the program
// comes together. Checking, --help, the schema and run ids are derived from here.
#pragma once
#include <string>
#include <vector>

#include "config/stages.h"
#include "core/fields.h"
#include "core/json.h"
#include "data/options.h"

namespace simmim {

// The options beside the sections.
struct TopOptions {
  int64_t seed = 0;
  std::string device = "auto", precision = "auto";
  static void fields(auto& o, auto&& visit) {
    visit("seed", o.seed, "fixes initial weights, order, crops, masks and the label subset", FieldRule{.min = 0});
    visit("device", o.device, "auto, cpu, cuda or cuda:N", FieldRule{.in_id = false});
    visit("precision", o.precision,
          "auto: bf16 for training where the hardware has it, else f32; f64 for parity checks",
          FieldRule{.choices = {"auto", "f32", "bf16", "f64"}});
  }
};

// The method that is trained; the paper's own is the only one so far.
struct MethodOptions {
  std::string name = "simmim";
  static void fields(auto& o, auto&& visit) {
    visit("name", o.name, "what is trained", FieldRule{.choices = {"simmim"}});
  }
};

// Names of all sections, in the order in which they are shown.
const std::vector<std::string>& section_names();

// The options of a section; where it has variants, those of the variant that `block` names (encoder: after its preset).
std::vector<FieldDescription> describe_section(const std::string& section, const Json& block);

// Reads a section with variants ("mask", "head", "target", "loss"): every option, checked, "name" first.
Json resolve_variant(const std::string& section, const Json& block);

// Refuses unknown top-level keys and sections that are no objects.
void check_sections(const Json& config);

// Everything above as one document, for --help, `list` and completion.
Json describe_schema();

}  // namespace simmim
