// An option is written once. A struct lists its members in `fields`; reading from JSON, printing, --help, range checks,
// run ids and sweep axes all follow from that list:
//
//   struct Options {
//     int64_t hidden = 1024;
//     static void fields(auto& o, auto&& visit) { visit("hidden", o.hidden, "width of the hidden layer", {.min = 1}); }
//   };
//
// Member types: bool, int64_t, double, std::string, a struct with fields, Json (free form), and std::optional or
// std::vector of the first four. An empty optional is spelt "auto" (null is read as well).
#pragma once
#include <algorithm>
#include <cmath>
#include <concepts>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "core/error.h"
#include "core/json.h"
#include "core/names.h"

namespace simmim {

struct FieldRule {
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  std::vector<std::string> choices = {};  // allowed strings; empty: any
  bool in_id = true;                      // false: cannot change a result (workers, roots, log intervals)
  bool file = false;                      // one of the choices or a file's path: an id knows the file by its content
};

// Whether an option of a rule with `file` names one, rather than one of the choices.
inline bool names_file(const FieldRule& rule, const Json& value) {
  return rule.file && value.is_string() &&
         std::find(rule.choices.begin(), rule.choices.end(), value.get<std::string>()) == rule.choices.end();
}

// One row of --help and of the schema. `name` is dotted for nested structs.
struct FieldDescription {
  std::string name, type, help;
  Json default_value;
  FieldRule rule;
};

namespace fields_detail {

template <class T>
concept HasFields = requires(T& options) {
  T::fields(options, [](auto&&...) {});
};

template <class T>
struct is_optional : std::false_type {};
template <class T>
struct is_optional<std::optional<T>> : std::true_type {};
template <class T>
struct is_vector : std::false_type {};
template <class T>
struct is_vector<std::vector<T>> : std::true_type {};

template <class T>
std::string type_name() {
  if constexpr (is_optional<T>::value)
    return type_name<typename T::value_type>() + " or auto";
  else if constexpr (is_vector<T>::value)
    return "list of " + type_name<typename T::value_type>();
  else if constexpr (std::same_as<T, bool>)
    return "true or false";
  else if constexpr (std::same_as<T, int64_t>)
    return "integer";
  else if constexpr (std::same_as<T, double>)
    return "number";
  else if constexpr (std::same_as<T, std::string>)
    return "text";
  else
    return "object";
}

inline std::string allowed_text(const std::string& type, const FieldRule& rule) {
  if (rule.file) {
    std::vector<std::string> allowed = rule.choices;
    allowed.emplace_back("a file");
    return one_of(allowed);
  }
  if (!rule.choices.empty()) return one_of(rule.choices);
  const bool low = std::isfinite(rule.min), high = std::isfinite(rule.max);
  if (low && high) return fmt::format("{} from {} to {}", type, number_text(rule.min), number_text(rule.max));
  if (low) return fmt::format("{}, at least {}", type, number_text(rule.min));
  if (high) return fmt::format("{}, at most {}", type, number_text(rule.max));
  return type;
}

[[noreturn]] inline void refuse(const std::string& path, const Json& got, const std::string& type,
                                const FieldRule& rule) {
  std::string hint;
  if (got.is_string() && !rule.choices.empty())
    if (const std::string near = nearest(got.get<std::string>(), rule.choices); !near.empty())
      hint = fmt::format("; did you mean '{}'?", near);
  fail(Code::usage, "{}: got {}; allowed: {}{}", path, got.dump(), allowed_text(type, rule), hint);
}

template <class T>
void read_value(T& out, const Json& value, const std::string& path, const FieldRule& rule) {
  const auto bad = [&] { refuse(path, value, type_name<T>(), rule); };
  if constexpr (is_optional<T>::value) {
    if (value.is_null() || value == "auto") {
      out.reset();
    } else {
      typename T::value_type inner{};
      read_value(inner, value, path, rule);
      out = std::move(inner);
    }
  } else if constexpr (is_vector<T>::value) {
    out.clear();
    if (!value.is_array()) bad();
    for (size_t i = 0; i < value.size(); ++i)
      read_value(out.emplace_back(), value[i], fmt::format("{}[{}]", path, i), rule);
  } else if constexpr (std::same_as<T, bool>) {
    if (!value.is_boolean()) bad();
    out = value.get<bool>();
  } else if constexpr (std::same_as<T, int64_t> || std::same_as<T, double>) {
    if (!value.is_number()) bad();
    const double number = value.get<double>();
    if (!(number >= rule.min && number <= rule.max)) bad();
    if constexpr (std::same_as<T, int64_t>) {
      if (number != std::floor(number) || std::abs(number) > 9e15) bad();
      out = value.is_number_float() ? static_cast<int64_t>(number) : value.get<int64_t>();
    } else {
      out = number;
    }
  } else if constexpr (std::same_as<T, std::string>) {
    if (!value.is_string()) bad();
    out = value.get<std::string>();
    if (!rule.file && !rule.choices.empty() &&
        std::find(rule.choices.begin(), rule.choices.end(), out) == rule.choices.end())
      bad();
  } else {
    static_assert(std::same_as<T, Json>, "this member type cannot be an option");
    out = value;
  }
}

template <class T>
Json write_value(const T& value) {
  if constexpr (is_optional<T>::value)
    return value ? write_value(*value) : Json("auto");
  else
    return Json(value);
}

}  // namespace fields_detail

// Every option with its default, nested structs flattened to dotted names.
template <class Options>
std::vector<FieldDescription> describe_fields(Options defaults = {}, const std::string& prefix = "") {
  std::vector<FieldDescription> out;
  Options::fields(defaults, [&]<class T>(const char* name, T& value, const char* help, const FieldRule& rule = {}) {
    if constexpr (fields_detail::HasFields<T>) {
      for (FieldDescription& inner : describe_fields<T>(value, prefix + name + ".")) out.push_back(std::move(inner));
    } else {
      out.push_back({prefix + name, fields_detail::type_name<T>(), help, fields_detail::write_value(value), rule});
    }
  });
  return out;
}

// Reads what `block` names into `options`, leaving the rest as it is. `path` opens the messages ("mask"). An unknown
// key, a wrong type or a value out of range is a usage error that names the path, what was got and what is allowed.
// `also_known` are keys of the block that are read elsewhere ("name").
template <class Options>
void read_fields(Options& options, const Json& block, const std::string& path,
                 const std::vector<std::string>& also_known = {}) {
  if (!block.is_object()) fail(Code::usage, "{}: got {}; allowed: an object", path, block.dump());
  std::vector<std::string> known = also_known;
  Options::fields(options,
                  [&](const char* name, auto&, const char*, const FieldRule& = {}) { known.emplace_back(name); });
  for (const auto& [key, value] : block.items())
    if (std::find(known.begin(), known.end(), key) == known.end())
      fail(Code::usage, "{}: unknown key{}", path.empty() ? key : path + "." + key, unknown_name_hint(key, known));
  Options::fields(options, [&]<class T>(const char* name, T& value, const char*, const FieldRule& rule = {}) {
    const auto it = block.find(name);
    if (it == block.end()) return;
    const std::string inner = path.empty() ? name : path + "." + name;
    if constexpr (fields_detail::HasFields<T>)
      read_fields(value, *it, inner);
    else
      fields_detail::read_value(value, *it, inner, rule);
  });
}

// All options as JSON, in the order of the list.
template <class Options>
Json write_fields(const Options& options) {
  Json out = Json::object();
  Options::fields(const_cast<Options&>(options),
                  [&]<class T>(const char* name, T& value, const char*, const FieldRule& = {}) {
                    if constexpr (fields_detail::HasFields<T>)
                      out[name] = write_fields(value);
                    else
                      out[name] = fields_detail::write_value(value);
                  });
  return out;
}

}  // namespace simmim
