// EXPR, the filter people type: 'mask.ratio=0.6 top1>80 state=done,failed error~memory'. All conditions must hold.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "runs/sqlite.h"

namespace simmim {

// KEY OP VALUE. Operators: = != (a comma separates several values), < <= > >=, ~ (contains, any case).
struct Condition {
  std::string key, op;
  std::vector<Value> values;  // numbers where they read as such; true is 1; null means "no value"
};

// Code::usage for text that is no condition. Values with spaces stand in double quotes: error~"out of memory".
std::vector<Condition> parse_filter(const std::string& text);

// Whether a value fulfils a condition; a null fulfils only "= null" and "!= something".
bool fulfils(const Condition& condition, const Value& value);

// Whether all conditions hold; `lookup` gives the value of a key.
bool fulfils_all(const std::vector<Condition>& conditions, const std::function<Value(const std::string& key)>& lookup);

// The SQL over the view `results` for a key: a column of it (also with dots, val.top1), `top1` (val_top1, or test_top1
// where there is no validation split), "first|last|min|max METRIC" and "METRIC@epoch=50" or "METRIC@step=100" (the
// first value from there on) of a curve, or any leaf of the configuration by its dotted path, taken from the run or the
// runs it comes from. Code::usage for an unknown key, with the nearest known one.
std::string key_sql(const Sqlite& database, const std::string& key);

// "1" for no conditions. Besides the keys of key_sql it knows `sweep` and `cell` (membership). Values are bound by the
// caller: they are appended to `bound` in order of the question marks.
std::string filter_sql(const Sqlite& database, const std::vector<Condition>& conditions, std::vector<Value>& bound);

}  // namespace simmim
