#include "core/json.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <set>
#include <sstream>

#include "core/error.h"
#include "core/names.h"

namespace simmim {

Json parse_json(std::string_view text, const std::string& where) {
  std::vector<std::set<std::string>> seen;
  const auto refuse_duplicates = [&](int, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) seen.emplace_back();
    if (event == Json::parse_event_t::object_end) seen.pop_back();
    if (event == Json::parse_event_t::key && !seen.back().insert(parsed.get<std::string>()).second)
      fail(Code::usage, "{}: the key '{}' stands twice in one object; keep one", where, parsed.get<std::string>());
    return true;
  };
  try {
    return Json::parse(text, refuse_duplicates);
  } catch (const nlohmann::json::parse_error& error) {
    const std::string_view before = text.substr(0, std::min<size_t>(error.byte, text.size()));
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const auto column = before.size() - (before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1);
    fail(Code::usage, "{}: line {}, column {}: this is not valid JSON; check for a missing comma, quote or bracket",
         where, line, column);
  } catch (const nlohmann::json::exception& error) {
    fail(Code::usage, "{}: {}", where, error.what());
  }
}

Json read_json_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file || std::filesystem::is_directory(path))
    fail(Code::usage, "{}: no such file, or it cannot be read; give the path of a JSON file", path.string());
  std::stringstream text;
  text << file.rdbuf();
  return parse_json(text.str(), path.string());
}

std::string number_text(double value) {
  constexpr double kExact = 0x1p53;  // up to here every whole number is a double, and spelt as the integer is
  if (value == 0) return "0";        // -0 too
  if (value == std::floor(value) && std::abs(value) <= kExact) return fmt::format("{:.0f}", value);
  return fmt::format("{}", value);
}

std::string canonical(const Json& value) {
  switch (value.type()) {
    case Json::value_t::object: {
      std::map<std::string, std::string> sorted;
      for (const auto& [key, item] : value.items()) sorted[key] = canonical(item);
      std::string text = "{";
      for (const auto& [key, item] : sorted) text += (text.size() > 1 ? "," : "") + Json(key).dump() + ":" + item;
      return text + "}";
    }
    case Json::value_t::array: {
      std::string text = "[";
      for (const Json& item : value) text += (text.size() > 1 ? "," : "") + canonical(item);
      return text + "]";
    }
    case Json::value_t::number_float:
      return number_text(value.get<double>());
    default:
      return value.dump();
  }
}

const Json* find_path(const Json& root, std::string_view path) {
  const Json* node = &root;
  for (const std::string& part : split(path, '.')) {
    if (!node->is_object()) return nullptr;
    const auto it = node->find(part);
    if (it == node->end()) return nullptr;
    node = &*it;
  }
  return node;
}

void set_path(Json& root, std::string_view path, Json value) {
  Json* node = &root;
  for (const std::string& part : split(path, '.')) {
    if (!node->is_object()) *node = Json::object();
    node = &(*node)[part];
  }
  *node = std::move(value);
}

namespace {
std::string printable(std::string_view text) {  // what is no UTF-8 becomes U+FFFD
  const std::string quoted = Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
  return quoted.substr(1, quoted.size() - 2);
}

bool is_utf8(std::string_view text) {
  try {
    return !Json(text).dump().empty();
  } catch (const nlohmann::json::type_error&) {
    return false;
  }
}
}  // namespace

std::pair<std::string, Json> parse_override(std::string_view text) {
  const auto equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0)
    fail(Code::usage, "'{}': an override is written key.path=value, for example mask.ratio=0.6", text);
  const std::string_view value = text.substr(equals + 1);
  if (!is_utf8(text)) fail(Code::usage, "'{}': an override must be valid UTF-8 text", printable(text));
  const Json parsed = Json::parse(value, nullptr, /*allow_exceptions=*/false);
  return {std::string(text.substr(0, equals)), parsed.is_discarded() ? Json(std::string(value)) : parsed};
}

namespace {
void collect_leaves(const Json& node, const std::string& path, std::vector<std::pair<std::string, Json>>& out) {
  if (!node.is_object()) {
    out.emplace_back(path, node);
    return;
  }
  for (const auto& [key, item] : node.items()) collect_leaves(item, path.empty() ? key : path + "." + key, out);
}
}  // namespace

std::vector<std::pair<std::string, Json>> leaves(const Json& root) {
  std::vector<std::pair<std::string, Json>> out;
  if (root.is_object()) collect_leaves(root, "", out);
  return out;
}

}  // namespace simmim
