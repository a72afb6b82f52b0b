// JSON as the project uses it: objects keep the order in which a person wrote them.
#pragma once
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace simmim {

using Json = nlohmann::ordered_json;

// Parses text; `where` opens the message of a syntax error (usage error with line and column). Comments are refused,
// duplicate keys too.
Json parse_json(std::string_view text, const std::string& where);

// Reads and parses a file; Code::usage with the path if it is missing or no JSON.
Json read_json_file(const std::filesystem::path& path);

// The one spelling of a value that hashes and comparisons use: keys sorted, no white space, shortest round-trip
// numbers, integral floats as integers (1.0 is 1).
std::string canonical(const Json& value);

// Dotted paths, "mask.patch". find returns nullptr where a part is missing.
const Json* find_path(const Json& root, std::string_view path);
void set_path(Json& root, std::string_view path, Json value);

// "key.path=value" -> {path, value}; the value is JSON where it parses as JSON, else a string. Code::usage without '='.
std::pair<std::string, Json> parse_override(std::string_view text);

// Every leaf (non-object value) as dotted path -> value, in order.
std::vector<std::pair<std::string, Json>> leaves(const Json& root);

// A number as a person would write it: shortest text that reads back the same.
std::string number_text(double value);

}  // namespace simmim
