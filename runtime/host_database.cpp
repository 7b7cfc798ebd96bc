// The struct sqldb of cweb.h, for C. Each function takes what SQLite's takes, or the struct sqldb * in front of it.
#include <cweb.h>

#include "runtime/fault_guard.h"
#include "runtime/host_functions.h"
#include "runtime/host_objects.h"
#include "runtime/host_statements.h"
#include "runtime/primitives.h"

namespace cweb::runtime {
namespace {

template <class... Pointer>
Arguments<sizeof...(Pointer)> arguments(Pointer... given) {
  return Arguments<sizeof...(Pointer)>(host_objects().database, given...);
}

/// The first of the arguments; null when it is no statement of the modules' database, or no more.
template <size_t count>
sqlite3_stmt* statement_of(const Arguments<count>& given) {
  auto* const statement = given.template at<sqlite3_stmt*>(0);
  return is_ours(statement) ? statement : nullptr;
}

int host_exec(void* a, void* b, void* c, void* d, void* e) {
  const auto given = arguments(a, b, c, d, e);
  return execute(given.at<const char*>(0), given.at<RowCallback>(1), given.at<void*>(2), given.at<char**>(3));
}

int host_prepare(void* a, void* b, void* c, void* d, void* e) {
  const auto given = arguments(a, b, c, d, e);
  const auto* const sql = given.at<const char*>(0);
  // Where the number of bytes stands there may be the statement at once. No number of bytes is an address: an int comes
  // in the lower half of its register, whose upper half compilers leave zero or fill with the sign.
  const auto second = given.at<int64_t>(1);
  if (second == static_cast<int32_t>(second) || second == static_cast<uint32_t>(second)) {
    return prepare(sql, given.at<int>(1), 0, given.at<sqlite3_stmt**>(2), given.at<const char**>(3));
  }
  return prepare(sql, -1, 0, given.at<sqlite3_stmt**>(1), nullptr);
}

int host_step(void* a, void* b) {
  sqlite3_stmt* const statement = statement_of(arguments(a, b));
  return statement == nullptr ? SQLITE_MISUSE : step(statement);
}

int host_finalize(void* a, void* b) {
  const auto given = arguments(a, b);
  if (given.at<void*>(0) == nullptr) return SQLITE_OK;
  sqlite3_stmt* const statement = statement_of(given);
  return statement == nullptr ? SQLITE_MISUSE : finalize(statement);
}

int host_reset(void* a, void* b) {
  const auto given = arguments(a, b);
  if (given.at<void*>(0) == nullptr) return SQLITE_OK;
  sqlite3_stmt* const statement = statement_of(given);
  return statement == nullptr ? SQLITE_MISUSE : reset(statement);
}

int host_bind_text(void* a, void* b, void* c, void* d, void* e, void* f) {
  const auto given = arguments(a, b, c, d, e, f);
  sqlite3_stmt* const statement = statement_of(given);
  if (statement == nullptr) return SQLITE_MISUSE;
  return bind_text(statement, given.at<int>(1), given.at<const char*>(2), given.at<int>(3), given.at<Destructor>(4));
}

int host_bind_int(void* a, void* b, void* c, void* d) {
  const auto given = arguments(a, b, c, d);
  return OnStatement<sqlite3_bind_int>::ours(SQLITE_MISUSE, given.at<sqlite3_stmt*>(0), given.at<int>(1),
                                             given.at<int>(2));
}

const unsigned char* host_column_text(void* a, void* b, void* c) {
  const auto given = arguments(a, b, c);
  return OnStatement<sqlite3_column_text>::ours(nullptr, given.at<sqlite3_stmt*>(0), given.at<int>(1));
}

int host_column_int(void* a, void* b, void* c) {
  const auto given = arguments(a, b, c);
  return OnStatement<sqlite3_column_int>::ours(0, given.at<sqlite3_stmt*>(0), given.at<int>(1));
}

int host_column_count(void* a, void* b) {
  return OnStatement<sqlite3_column_count>::ours(0, arguments(a, b).at<sqlite3_stmt*>(0));
}

int host_changes() {
  Primitives* const all = primitives();
  const HostSection section;
  return all == nullptr ? 0 : all->database->changes();
}

sqlite3_int64 host_last_insert_rowid() {
  Primitives* const all = primitives();
  const HostSection section;
  return all == nullptr ? 0 : all->database->last_insert_rowid();
}

void host_free(void* a, void* b) {
  free_block(arguments(a, b).at<void*>(0), {"database->free", "SQLite"});
}

}  // namespace

void fill_in(struct sqldb& database) {
  set_member(database.exec, host_exec);
  set_member(database.prepare, host_prepare);
  set_member(database.step, host_step);
  set_member(database.finalize, host_finalize);
  set_member(database.bind_text, host_bind_text);
  set_member(database.bind_int, host_bind_int);
  set_member(database.column_text, host_column_text);
  set_member(database.column_int, host_column_int);
  set_member(database.column_count, host_column_count);
  set_member(database.reset, host_reset);
  set_member(database.changes, host_changes);
  set_member(database.last_insert_rowid, host_last_insert_rowid);
  set_member(database.free, host_free);
}

std::span<const HostSymbol> database_functions() {
  static const HostSymbol functions[] = {{"database", const_cast<struct sqldb**>(&host_objects().database)}};
  return functions;
}

}  // namespace cweb::runtime
