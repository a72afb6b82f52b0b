// A family of variants (heads, masks, losses, ...) is a plain table: one row a variant, looked up by the name that
// stands in JSON, on the command line, in the database and in tables.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/fields.h"

namespace simmim {

// A row. Base: the family's interface; Args: what its members are built from besides their options.
template <class Base, class... Args>
struct Variant {
  std::string name, help;
  std::function<std::vector<FieldDescription>()> describe;  // its options
  std::function<Json(const Json& block, const std::string& path)>
      resolve;                                                            // block -> every option, checked, name first
  std::function<std::unique_ptr<Base>(const Json& block, Args...)> make;  // from a resolved block
};

template <class Base, class... Args>
using Family = std::vector<Variant<Base, Args...>>;

// The row for a class V with V::Options (see core/fields.h) and a constructor V(V::Options, Args...).
template <class V, class Base, class... Args>
Variant<Base, Args...> variant(std::string name, std::string help) {
  using Options = typename V::Options;
  const auto read = [](const Json& block, const std::string& path) {
    Options options{};
    read_fields(options, block, path, {"name"});
    return options;
  };
  return {name, std::move(help), [] { return describe_fields<Options>(); },
          [name, read](const Json& block, const std::string& path) {
            Json out = {{"name", name}};
            out.update(write_fields(read(block, path)));
            return out;
          },
          [read](const Json& block, Args... args) -> std::unique_ptr<Base> {
            return std::make_unique<V>(read(block, ""), args...);
          }};
}

template <class Row>
std::vector<std::string> names_of(const std::vector<Row>& family) {
  std::vector<std::string> names;
  for (const Row& row : family) names.push_back(row.name);
  return names;
}

// The row that a block names by "name"; `path` is the block's ("head"). Unknown: a usage error with the list.
template <class Row>
const Row& find_variant(const std::vector<Row>& family, const Json& block, const std::string& path) {
  const auto it = block.is_object() ? block.find("name") : block.end();
  const std::string name = it != block.end() && it->is_string() ? it->template get<std::string>() : "";
  for (const Row& row : family)
    if (row.name == name) return row;
  fail(Code::usage, "{}.name: unknown name '{}'{}", path, name, unknown_name_hint(name, names_of(family)));
}

}  // namespace simmim
