// SQLite with owners and exceptions: a connection, a prepared statement, a transaction. Errors are Code::database with
// the path and what to do.
#pragma once
#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/error.h"
#include "core/json.h"

namespace simmim {

// A value of a database cell: null, integer, real, text.
using Value = std::variant<std::monostate, int64_t, double, std::string>;

bool is_null(const Value& value);
Value to_value(const Json& json);  // objects and lists as JSON text; true is 1; non-finite is null
Json to_json(const Value& value);
double number_or(const Value& value, double otherwise);
std::string text_of(const Value& value);  // "" for null; numbers in the shortest form that reads back the same

class Sqlite;

// A prepared statement. Bind, then step() until it is false; reset() to use it again.
class Statement {
 public:
  Statement(sqlite3* database, const std::string& where, std::string_view sql);
  Statement& bind(int index, const Value& value);  // the first place is 1
  template <class... Values>
  Statement& bind_all(const Values&... values) {
    int index = 0;
    (bind(++index, Value(values)), ...);
    return *this;
  }
  bool step();  // true: a row stands ready
  void run();   // steps to the end and resets
  void reset();
  int columns() const;
  std::string column_name(int column) const;
  Value value(int column) const;
  int64_t integer(int column) const;
  double real(int column) const;
  std::string text(int column) const;

 private:
  struct Finalizer {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  sqlite3* database_;
  std::string where_;
  std::unique_ptr<sqlite3_stmt, Finalizer> statement_;
};

class Sqlite {
 public:
  // `uri` as SQLite takes it (":memory:", "file:..."); `where` names it in messages.
  Sqlite(const std::string& uri, int flags, std::string where, int busy_milliseconds);
  void execute(const std::string& sql);  // one or more statements without parameters
  Statement prepare(std::string_view sql) const { return Statement(handle_.get(), where_, sql); }
  const std::string& where() const { return where_; }
  sqlite3* handle() const { return handle_.get(); }

 private:
  struct Closer {
    void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
  };
  std::string where_;
  std::unique_ptr<sqlite3, Closer> handle_;
};

// BEGIN IMMEDIATE ... COMMIT; rolled back if it is destroyed before commit().
class Transaction {
 public:
  explicit Transaction(Sqlite& database);
  ~Transaction();
  void commit();

 private:
  Sqlite& database_;
  bool open_ = true;
};

}  // namespace simmim
