// The blocks of a sweep's "axes": grid, zip and cases, each a list of points whose product with the others is the
// sweep.
#pragma once
#include <string>
#include <vector>

#include "core/json.h"

namespace simmim {

// One value of a block: what it shows and what it sets.
struct Point {
  Json values = Json::object(), set = Json::object();
};
struct Block {
  std::vector<std::string> axes;
  std::vector<Point> points;
};

// `where` opens the messages of these (Code::usage).
const Json& object_at(const Json& value, const std::string& where);
Json dotted(const Json& object, const std::string& where);  // {"mask": {"patch": 4}} -> {"mask.patch": 4}

Block grid_block(const Json& grid, const std::string& where);
Block read_block(const Json& entry, const std::string& where);

// A second zip or cases block is an axis of its own: "zip2", "case2".
void add_block(std::vector<Block>& blocks, Block block);

// A value as it stands in a cell's name.
std::string short_text(const Json& value);

}  // namespace simmim
