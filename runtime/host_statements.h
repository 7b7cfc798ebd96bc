// What the two ways to the modules' database have in common: the struct sqldb of cweb.h (host_database) and SQLite's
// own functions (host_sqlite). Statements that are not the database's are SQLite's affair alone.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <new>

#include "runtime/fault_guard.h"
#include "runtime/primitives.h"

namespace cweb::runtime {

using RowCallback = int (*)(void*, int, char**, char**);
using Destructor = void (*)(void*);

/// What SQLite is called with is the server's, so it is called in a section; a call that has become overdue in it ends
/// behind it.
template <class Result, class Use>
Result in_section(Result otherwise, const Use& use) {
  Result result = otherwise;
  {
    const HostSection section;
    try {
      result = use();
    } catch (const std::bad_alloc&) {
      result = otherwise;
    }
  }
  stop_when_overdue();
  return result;
}

// As SQLite's functions of these names, on the calling thread's connection of the modules' database.
int execute(const char* sql, RowCallback callback, void* argument, char** error);
int prepare(const char* sql, int bytes, unsigned flags, sqlite3_stmt** statement, const char** rest);
int prepare16(const void* sql, int bytes, unsigned flags, sqlite3_stmt** statement, const void** rest);

/// Is it a statement of the modules' database that is not finalized?
bool is_ours(const sqlite3_stmt* statement);

// As SQLite's, for any statement: one that is not ours is SQLite's own affair.
int step(sqlite3_stmt* statement);
int reset(sqlite3_stmt* statement);
int finalize(sqlite3_stmt* statement);
// What is bound is copied, and `destructor` called at once, where nothing is held: host_bindings.
/// `bytes` below 0: up to the NUL.
int bind_text(sqlite3_stmt* statement, int index, const char* text, int64_t bytes, Destructor destructor);
int bind_blob(sqlite3_stmt* statement, int index, const void* blob, int64_t bytes, Destructor destructor);

/// A function of SQLite's that uses a statement and what belongs to it: text that it makes of a number is SQLite's, and
/// a module cannot free it.
template <auto function>
struct OnStatement;
template <class Result, class... Rest, Result (*function)(sqlite3_stmt*, Rest...)>
struct OnStatement<function> {
  /// `otherwise` for what is no statement of the modules' database.
  static Result ours(Result otherwise, sqlite3_stmt* statement, Rest... rest) {
    Primitives* const all = primitives();
    if (all == nullptr) return otherwise;
    const HostSection section;
    return all->database->with_statement(statement, otherwise,
                                         [&](sqlite3_stmt* known) { return function(known, rest...); });
  }
  /// As SQLite's, for any statement. Nothing, should it be finalized by another thread at this moment.
  static Result any(sqlite3_stmt* statement, Rest... rest) {
    return is_ours(statement) ? ours(Result{}, statement, rest...) : function(statement, rest...);
  }
};

}  // namespace cweb::runtime
