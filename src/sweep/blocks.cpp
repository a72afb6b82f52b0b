#include "sweep/blocks.h"

#include <algorithm>

#include "core/error.h"
#include "core/names.h"

namespace simmim {
namespace {

const Json& values_at(const Json& value, const std::string& where) {
  if (!value.is_array() || value.empty())
    fail(Code::usage, "{}: got {}; allowed: a list of at least one value", where, value.dump());
  return value;
}

Block zip_block(const Json& zip, const std::string& where) {
  Block block{.axes = {"zip"}};
  for (const auto& [key, values] : object_at(zip, where).items()) {
    if (block.points.empty()) block.points.resize(values_at(values, where + "." + key).size());
    if (values_at(values, where + "." + key).size() != block.points.size())
      fail(Code::usage, "{}.{}: {} values where the first list of the zip has {}; make them equally long", where, key,
           values.size(), block.points.size());
    for (size_t i = 0; i < values.size(); ++i) {
      Point& point = block.points[i];
      point.values["zip"] =
          (point.values.contains("zip") ? point.values["zip"].get<std::string>() + " " : "") + short_text(values[i]);
      point.values[key] = point.set[key] = values[i];
    }
  }
  return block;
}

Block cases_block(const Json& cases, const std::string& where) {
  Block block{.axes = {"case"}};
  for (const auto& [name, set] : object_at(cases, where).items())
    block.points.push_back({{{"case", name}}, dotted(set, where + "." + name)});
  return block;
}

}  // namespace

const Json& object_at(const Json& value, const std::string& where) {
  if (!value.is_object()) fail(Code::usage, "{}: got {}; allowed: an object", where, value.dump());
  return value;
}

// {"mask": {"patch": 4}} and {"mask.patch": 4} are the same.
Json dotted(const Json& object, const std::string& where) {
  Json out = Json::object();
  for (const auto& [key, value] : leaves(object_at(object, where))) out[key] = value;
  return out;
}

std::string short_text(const Json& value) { return value.is_string() ? value.get<std::string>() : canonical(value); }

Block grid_block(const Json& grid, const std::string& where) {
  Block block{.points = {Point{}}};
  for (const auto& [key, values] : object_at(grid, where).items()) {
    block.axes.push_back(key);
    std::vector<Point> product;
    for (const Point& point : block.points)
      for (const Json& value : values_at(values, where + "." + key)) {
        product.push_back(point);
        product.back().values[key] = product.back().set[key] = value;
      }
    block.points = std::move(product);
  }
  return block;
}

Block read_block(const Json& entry, const std::string& where) {
  static const std::vector<std::string> kinds = {"grid", "zip", "cases"};
  if (object_at(entry, where).size() != 1)
    fail(Code::usage, "{}: a block has one key, {}; start another block for the next", where, one_of(kinds));
  const std::string kind = entry.begin().key();
  const std::string inner = where + "." + kind;
  Block block = kind == "grid"    ? grid_block(entry.front(), inner)
                : kind == "zip"   ? zip_block(entry.front(), inner)
                : kind == "cases" ? cases_block(entry.front(), inner)
                                  : Block{};
  if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end())
    fail(Code::usage, "{}: unknown key{}", inner, unknown_name_hint(kind, kinds));
  if (block.axes.empty() || block.points.empty()) fail(Code::usage, "{}: names no value; give at least one", inner);
  return block;
}

void add_block(std::vector<Block>& blocks, Block block) {
  for (std::string& axis : block.axes) {
    const auto taken = [&](const std::string& name) {
      return std::any_of(blocks.begin(), blocks.end(), [&](const Block& other) {
        return std::find(other.axes.begin(), other.axes.end(), name) != other.axes.end();
      });
    };
    std::string name = axis;
    for (int i = 2; taken(name); ++i) name = axis + std::to_string(i);
    if (name == axis) continue;
    if (axis != "zip" && axis != "case") fail(Code::usage, "sweep.axes: {} is an axis of two blocks; keep one", axis);
    for (Point& point : block.points) {
      point.values[name] = point.values[axis];
      point.values.erase(axis);
    }
    axis = name;
  }
  blocks.push_back(std::move(block));
}

}  // namespace simmim
