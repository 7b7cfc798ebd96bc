#include "runtime/host_statements.h"

#include <cstring>
#include <limits>

#include "runtime/host_functions.h"
#include "runtime/host_memory_check.h"

namespace cweb::runtime {
namespace {

/// The names of a row's columns, and room for their values behind them: a block of the module's, which goes with it
/// when the callback does not return. Null when memory is out.
char** column_names(sqlite3_stmt* statement, int count) {
  auto** const columns = static_cast<char**>(module_malloc(2 * static_cast<size_t>(count) * sizeof(char*)));
  for (int i = 0; columns != nullptr && i < count; ++i) {
    const HostSection section;
    columns[i] = const_cast<char*>(sqlite3_column_name(statement, i));
  }
  return columns;
}

char* value_of(sqlite3_stmt* statement, int column) {
  const HostSection section;
  return reinterpret_cast<char*>(const_cast<unsigned char*>(sqlite3_column_text(statement, column)));
}

/// The callback is called outside of SQLite and of any section: it may be left by a jump.
int run_statement(sqlite3_stmt* statement, RowCallback callback, void* argument) {
  const int count = sqlite3_column_count(statement);
  char** columns = nullptr;
  int result = SQLITE_ROW;
  while ((result = step(statement)) == SQLITE_ROW) {
    if (callback == nullptr) continue;
    if (columns == nullptr) columns = column_names(statement, count);
    if (columns == nullptr) return SQLITE_NOMEM;
    for (int i = 0; i < count; ++i) columns[count + i] = value_of(statement, i);
    if (callback(argument, count, columns + count, columns) != 0) {
      result = SQLITE_ABORT;
      break;
    }
  }
  module_free(columns);
  return result == SQLITE_DONE ? SQLITE_OK : result;
}

/// A block of the module's: one that is freed twice does not reach the process's allocator.
char* message_of(Database& database, int error) {
  return in_section<char*>(nullptr, [&] {
    sqlite3* const connection = database.connection_for(database.handle());
    const bool is_connections = connection != nullptr && sqlite3_errcode(connection) == error;
    const char* const text = is_connections ? sqlite3_errmsg(connection) : sqlite3_errstr(error);
    const size_t bytes = std::strlen(text) + 1;
    void* const block = module_malloc(bytes);
    return block == nullptr ? nullptr : static_cast<char*>(std::memcpy(block, text, bytes));
  });
}

/// Of SQL that can be read as far as SQLite will.
int prepare_readable(Database& database, const char* sql, int bytes, unsigned flags, sqlite3_stmt** statement,
                     const char** rest) {
  sqlite3_stmt* made = nullptr;
  size_t used = 0;
  const int result = in_section(SQLITE_NOMEM, [&] { return database.prepare(sql, bytes, flags, made, used); });
  if (rest != nullptr) store(rest, sql + used);
  store(statement, made);
  return result;
}

}  // namespace

bool is_ours(const sqlite3_stmt* statement) {
  Primitives* const all = primitives();
  if (all == nullptr) return false;
  const HostSection section;
  return all->database->knows(statement);
}

int prepare(const char* sql, int bytes, unsigned flags, sqlite3_stmt** statement, const char** rest) {
  Primitives* const all = primitives();
  if (statement != nullptr) store(statement, static_cast<sqlite3_stmt*>(nullptr));
  if (all == nullptr || sql == nullptr || statement == nullptr) return SQLITE_MISUSE;
  const size_t length = bytes < 0 ? read_through(sql) : strnlen(sql, static_cast<size_t>(bytes));
  if (length >= size_t{std::numeric_limits<int>::max()}) return SQLITE_TOOBIG;
  return prepare_readable(*all->database, sql, bytes < 0 ? -1 : static_cast<int>(length), flags, statement, rest);
}

int prepare16(const void* sql, int bytes, unsigned flags, sqlite3_stmt** statement, const void** rest) {
  Primitives* const all = primitives();
  if (statement != nullptr) store(statement, static_cast<sqlite3_stmt*>(nullptr));
  if (all == nullptr || sql == nullptr || statement == nullptr) return SQLITE_MISUSE;
  if (bytes < 0) {
    const size_t length = read_through_wide(sql);
    if (length >= size_t{std::numeric_limits<int>::max()}) return SQLITE_TOOBIG;
    bytes = static_cast<int>(length);
  }
  read_through(sql, static_cast<size_t>(bytes));
  sqlite3_stmt* made = nullptr;
  size_t used = 0;
  const int result = in_section(SQLITE_NOMEM, [&] { return all->database->prepare16(sql, bytes, flags, made, used); });
  if (rest != nullptr) store(rest, static_cast<const void*>(static_cast<const char*>(sql) + used));
  store(statement, made);
  return result;
}

int execute(const char* sql, RowCallback callback, void* argument, char** error) {
  Primitives* const all = primitives();
  char* message = nullptr;
  if (error != nullptr) store(error, message);
  if (all == nullptr || sql == nullptr) return SQLITE_MISUSE;
  read_through(sql);
  int result = SQLITE_OK;
  while (result == SQLITE_OK && *sql != 0) {
    sqlite3_stmt* statement = nullptr;
    result = prepare_readable(*all->database, sql, -1, 0, &statement, &sql);
    if (result != SQLITE_OK || statement == nullptr) continue;
    result = run_statement(statement, callback, argument);
    // Before the statement goes, which would make it the connection's last success.
    if (result != SQLITE_OK && error != nullptr) message = message_of(*all->database, result);
    finalize(statement);
  }
  if (result == SQLITE_OK || error == nullptr) return result;
  store(error, message != nullptr ? message : message_of(*all->database, result));
  return result;
}

int step(sqlite3_stmt* statement) {
  if (!is_ours(statement)) return sqlite3_step(statement);
  return in_section(SQLITE_NOMEM, [&] { return primitives()->database->step(statement); });
}

int reset(sqlite3_stmt* statement) {
  if (!is_ours(statement)) return sqlite3_reset(statement);
  return in_section(SQLITE_NOMEM, [&] { return primitives()->database->reset(statement); });
}

int finalize(sqlite3_stmt* statement) {
  if (!is_ours(statement)) return sqlite3_finalize(statement);
  return in_section(SQLITE_NOMEM, [&] { return primitives()->database->finalize(statement); });
}

}  // namespace cweb::runtime
