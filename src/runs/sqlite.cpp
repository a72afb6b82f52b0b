#include "runs/sqlite.h"

#include <cmath>

namespace simmim {
namespace {

[[noreturn]] void fail_sqlite(sqlite3* database, int code, const std::string& where) {
  const std::string text = database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(code);
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      fail(Code::database, "{}: another process holds the database ({}); try again when it is done", where, text);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      fail(Code::database, "{}: the database is broken ({}); it is only an index: `simmim db rebuild` makes it anew",
           where, text);
    case SQLITE_FULL:
      fail(Code::database,
           "{}: no space for the database ({}); free some, then `simmim status` takes in what is missing", where, text);
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
      fail(Code::database, "{}: cannot open or write the database ({}); choose another place with --db FILE", where,
           text);
    default:
      fail(Code::database, "{}: {}", where, text);
  }
}

}  // namespace

bool is_null(const Value& value) { return std::holds_alternative<std::monostate>(value); }

Value to_value(const Json& json) {
  switch (json.type()) {
    case Json::value_t::null:
      return {};
    case Json::value_t::boolean:
      return int64_t{json.get<bool>()};
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
      return json.get<int64_t>();
    case Json::value_t::number_float: {
      const double number = json.get<double>();
      return std::isfinite(number) ? Value(number) : Value();
    }
    case Json::value_t::string:
      return json.get<std::string>();
    default:
      return json.dump();
  }
}

Json to_json(const Value& value) {
  return std::visit(
      []<class T>(const T& item) -> Json {
        if constexpr (std::is_same_v<T, std::monostate>)
          return nullptr;
        else
          return item;
      },
      value);
}

double number_or(const Value& value, double otherwise) {
  if (const auto* integer = std::get_if<int64_t>(&value)) return static_cast<double>(*integer);
  if (const auto* real = std::get_if<double>(&value)) return *real;
  return otherwise;
}

std::string text_of(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* integer = std::get_if<int64_t>(&value)) return std::to_string(*integer);
  if (const auto* real = std::get_if<double>(&value)) return number_text(*real);
  return "";
}

Statement::Statement(sqlite3* database, const std::string& where, std::string_view sql)
    : database_(database), where_(where) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(database, sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
  statement_.reset(statement);
  if (code != SQLITE_OK) fail_sqlite(database, code, where);
}

Statement& Statement::bind(int index, const Value& value) {
  sqlite3_stmt* statement = statement_.get();
  int code = SQLITE_OK;
  if (const auto* integer = std::get_if<int64_t>(&value))
    code = sqlite3_bind_int64(statement, index, *integer);
  else if (const auto* real = std::get_if<double>(&value))
    code = sqlite3_bind_double(statement, index, *real);
  else if (const auto* text = std::get_if<std::string>(&value))
    code = sqlite3_bind_text(statement, index, text->data(), static_cast<int>(text->size()), SQLITE_TRANSIENT);
  else
    code = sqlite3_bind_null(statement, index);
  if (code != SQLITE_OK) fail_sqlite(database_, code, where_);
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  sqlite3_reset(statement_.get());
  fail_sqlite(database_, code, where_);
}

void Statement::run() {
  while (step()) {
  }
  reset();
}

void Statement::reset() { sqlite3_reset(statement_.get()); }
int Statement::columns() const { return sqlite3_column_count(statement_.get()); }
std::string Statement::column_name(int column) const { return sqlite3_column_name(statement_.get(), column); }
int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }
double Statement::real(int column) const { return sqlite3_column_double(statement_.get(), column); }

std::string Statement::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  return bytes == nullptr ? ""
                          : std::string(bytes, static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column)));
}

Value Statement::value(int column) const {
  switch (sqlite3_column_type(statement_.get(), column)) {
    case SQLITE_INTEGER:
      return integer(column);
    case SQLITE_FLOAT:
      return real(column);
    case SQLITE_NULL:
      return {};
    default:
      return text(column);
  }
}

Sqlite::Sqlite(const std::string& uri, int flags, std::string where, int busy_milliseconds) : where_(std::move(where)) {
  sqlite3* database = nullptr;
  const int code = sqlite3_open_v2(uri.c_str(), &database, flags | SQLITE_OPEN_URI, nullptr);
  handle_.reset(database);
  if (code != SQLITE_OK) fail_sqlite(database, code, where_);
  sqlite3_extended_result_codes(database, 1);
  sqlite3_busy_timeout(database, busy_milliseconds);
}

void Sqlite::execute(const std::string& sql) {
  const int code = sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail_sqlite(handle_.get(), code, where_);
}

Transaction::Transaction(Sqlite& database) : database_(database) { database_.execute("BEGIN IMMEDIATE"); }

Transaction::~Transaction() {
  if (open_) sqlite3_exec(database_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::commit() {
  database_.execute("COMMIT");
  open_ = false;
}

}  // namespace simmim
