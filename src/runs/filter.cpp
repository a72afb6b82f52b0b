#include "runs/filter.h"

#include <algorithm>
#include <cstring>

#include "core/names.h"
#include "runs/schema.h"

namespace simmim {
namespace {

// Splits at spaces that do not stand between double quotes.
std::vector<std::string> tokens_of(const std::string& text) {
  std::vector<std::string> tokens;
  std::string token;
  bool quoted = false;
  for (const char c : text + " ") {
    if (c == '"')
      quoted = !quoted;
    else if (c != ' ' || quoted)
      token += c;
    if (c == ' ' && !quoted && !token.empty()) tokens.push_back(std::exchange(token, ""));
  }
  if (quoted) fail(Code::usage, "{}: a quotation mark is not closed", text);
  return tokens;
}

Value parse_value(const std::string& text) {
  const Json parsed = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  return parsed.is_discarded() ? Value(text) : to_value(parsed);
}

// A list such as [2,2,6,2] is one value; elsewhere commas separate several.
std::vector<Value> parse_values(const std::string& text) {
  if (text.starts_with('[')) return {parse_value(text)};
  std::vector<Value> values;
  for (const std::string& part : split(text, ',')) values.push_back(parse_value(part));
  return values;
}

bool is_text(const Value& value) { return std::holds_alternative<std::string>(value); }

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

bool equal(const Value& a, const Value& b) {
  if (is_null(a) || is_null(b)) return is_null(a) && is_null(b);
  if (is_text(a) || is_text(b)) return is_text(a) && is_text(b) && a == b;
  return number_or(a, 0) == number_or(b, 0);
}

std::string quoted(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '\'' ? "''" : std::string(1, c);
  return "'" + out + "'";
}

// The key of a curve, as the journal spells it.
std::string metric_key(const Sqlite& database, const std::string& text) {
  std::string key = text == "top1" ? "val.top1" : text;
  if (key.starts_with("val_")) key[3] = '.';
  Statement known = database.prepare("SELECT 1 FROM metric_summary WHERE key = ? LIMIT 1");
  if (known.bind(1, key).step()) return key;
  std::vector<std::string> names;
  Statement all = database.prepare("SELECT DISTINCT key FROM metric_summary ORDER BY key");
  while (all.step()) names.push_back(all.text(0));
  if (names.empty()) return key;  // nothing has been run yet
  fail(Code::usage, "{}: no run has this curve{}", text, unknown_name_hint(key, names));
}

// "max top1", "last loss", "top1@epoch=50", "loss@step=100"; "" for a key of another kind.
std::string metric_sql(const Sqlite& database, const std::string& key) {
  if (const size_t at = key.find('@'); at != std::string::npos) {
    for (const std::string axis : {"epoch", "step"}) {
      const std::string prefix = "@" + axis + "=";
      if (key.compare(at, prefix.size(), prefix) != 0) continue;
      const Value from = parse_value(key.substr(at + prefix.size()));
      if (is_text(from) || is_null(from)) break;
      return fmt::format(
          "(SELECT m.value FROM metrics m WHERE m.run = results.run AND m.key = {} AND m.{} >= {} - 1e-9 ORDER BY step "
          "LIMIT 1)",
          quoted(metric_key(database, key.substr(0, at))), axis, text_of(from));
    }
    fail(Code::usage, "{}: a point of a curve is METRIC@epoch=N or METRIC@step=N", key);
  }
  for (const std::string which : {"first", "last", "min", "max"})
    if (key.starts_with(which + " "))
      return fmt::format("(SELECT s.{} FROM metric_summary s WHERE s.run = results.run AND s.key = {})", which,
                         quoted(metric_key(database, trim(key.substr(which.size())))));
  return "";
}

std::string config_sql(const std::string& key) {
  const auto of = [&](const std::string& run) {
    return fmt::format("(SELECT value FROM config_values WHERE key = {} AND run = {})", quoted(key), run);
  };
  return fmt::format("coalesce({}, {}, {})", of("results.run"), of("results.parent"),
                     of("(SELECT parent FROM runs WHERE id = results.parent)"));
}

// Where the operator stands. The = of "top1@epoch=50>80" is none: it belongs to the key.
size_t operator_of(const std::string& token) {
  constexpr const char* kOperators = "=!<>~";
  size_t from = 0;
  for (const std::string_view point : {"@epoch=", "@step="})
    if (const size_t at = token.find(point); at < token.find_first_of(kOperators)) from = at + point.size();
  return token.find_first_of(kOperators, from);
}

// Every key in the configurations of the database, each found by one seek.
std::vector<std::string> config_keys(const Sqlite& database) {
  std::vector<std::string> keys;
  Statement next = database.prepare("SELECT min(key) FROM config_values WHERE key > ?");
  for (std::string key; next.bind(1, key).step() && !is_null(next.value(0)); next.reset())
    keys.push_back(key = next.text(0));
  return keys;
}

}  // namespace

std::vector<Condition> parse_filter(const std::string& text) {
  std::vector<Condition> conditions;
  for (const std::string& token : tokens_of(text)) {
    const size_t at = operator_of(token);
    std::string op;
    for (const char* candidate : {"!=", "<=", ">=", "=", "<", ">", "~"})
      if (at != std::string::npos && token.compare(at, std::strlen(candidate), candidate) == 0) {
        op = candidate;
        break;
      }
    if (op.empty() || at == 0)
      fail(Code::usage,
           "'{}': a condition is KEY OP VALUE without spaces, OP one of = != < <= > >= ~; for example mask.ratio=0.6",
           token);
    const std::string rest = token.substr(at + op.size());
    if (rest.empty() && op != "=" && op != "!=")
      fail(Code::usage, "'{}': the value is missing; write one after {}, for example mask.ratio>0.5", token, op);
    Condition condition{token.substr(0, at), op,
                        op == "=" || op == "!=" ? parse_values(rest) : std::vector{parse_value(rest)}};
    if (op == "~") condition.values = {Value(rest)};
    conditions.push_back(std::move(condition));
  }
  return conditions;
}

bool fulfils(const Condition& condition, const Value& value) {
  const auto any_equal = [&] {
    return std::any_of(condition.values.begin(), condition.values.end(),
                       [&](const Value& v) { return equal(v, value); });
  };
  if (condition.op == "=") return any_equal();
  if (condition.op == "!=") return !any_equal();
  const Value& bound = condition.values[0];
  if (condition.op == "~") return lower(text_of(value)).find(lower(text_of(bound))) != std::string::npos;
  if (is_null(value) || is_null(bound) || is_text(value) != is_text(bound)) return false;
  const auto compare = [&](const auto& a, const auto& b) {
    return condition.op == "<" ? a < b : condition.op == "<=" ? a <= b : condition.op == ">" ? a > b : a >= b;
  };
  return is_text(value) ? compare(text_of(value), text_of(bound)) : compare(number_or(value, 0), number_or(bound, 0));
}

bool fulfils_all(const std::vector<Condition>& conditions, const std::function<Value(const std::string& key)>& lookup) {
  return std::all_of(conditions.begin(), conditions.end(),
                     [&](const Condition& c) { return fulfils(c, lookup(c.key)); });
}

std::string key_sql(const Sqlite& database, const std::string& key) {
  if (key == "top1") return "coalesce(results.val_top1, results.test_top1)";
  if (const std::string sql = metric_sql(database, key); !sql.empty()) return sql;
  const std::vector<std::string>& columns = result_columns();
  std::string underscored = key;
  std::replace(underscored.begin(), underscored.end(), '.', '_');
  for (const std::string& name : {key, underscored})
    if (std::find(columns.begin(), columns.end(), name) != columns.end()) {
      return "results." + name;
    }
  std::vector<std::string> known = config_keys(database);
  if (known.empty() || std::binary_search(known.begin(), known.end(), key)) return config_sql(key);
  known.insert(known.end(), columns.begin(), columns.end());
  const std::string near = nearest(key, known);
  fail(Code::usage,
       "{}: no run has this key{}; known: columns ({}), every leaf of the configuration, such as mask.ratio, and "
       "curves, such as 'max top1' or loss@epoch=5",
       key, near.empty() ? "" : fmt::format("; did you mean '{}'?", near), join(columns, ", "));
}

std::string filter_sql(const Sqlite& database, const std::vector<Condition>& conditions, std::vector<Value>& bound) {
  std::string sql = "1";
  for (const auto& [key, op, values] : conditions) {
    if (key == "sweep" || key == "cell") {
      if (op != "=" && op != "~") fail(Code::usage, "{}{}: {} takes = and ~ only", key, op, key);
      bound.push_back(op == "~" ? Value("%" + text_of(values[0]) + "%") : values[0]);
      sql +=
          fmt::format(" AND results.run IN (SELECT run FROM sweep_cells WHERE {} {} ?)", key, op == "~" ? "LIKE" : "=");
      continue;
    }
    const std::string expression = key_sql(database, key);
    if (op == "=" || op == "!=") {
      std::vector<std::string> any;
      for (const Value& value : values) {
        any.push_back(expression + " IS ?");
        bound.push_back(value);
      }
      sql += fmt::format(" AND {}({})", op == "=" ? "" : "NOT ", join(any, " OR "));
    } else if (op == "~") {
      sql += fmt::format(" AND instr(lower({}), lower(?))", expression);
      bound.push_back(values[0]);
    } else {  // SQLite sorts every number before every text: compare like with like
      sql +=
          fmt::format(" AND ({0} {1} ? AND (typeof({0}) = 'text') = {2})", expression, op, is_text(values[0]) ? 1 : 0);
      bound.push_back(values[0]);
    }
  }
  return sql;
}

}  // namespace simmim
