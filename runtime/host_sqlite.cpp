// SQLite's own functions where they are given `database->db`, which stands for the connection of the thread that calls,
// or a statement of the modules' database. What they are given else is SQLite's affair: modules open databases of their
// own.
#include <sqlite3.h>

#include "runtime/database_session.h"
#include "runtime/fault_guard.h"
#include "runtime/host_functions.h"
#include "runtime/host_statements.h"
#include "runtime/primitives.h"

namespace cweb::runtime {
namespace {

/// Does `given` stand for the calling thread's connection?
bool is_shared(const sqlite3* given) {
  Primitives* const all = primitives();
  return all != nullptr && given == all->database->handle();
}

/// Is it a connection that belongs to no module?
bool is_servers(const sqlite3* given) {
  Primitives* const all = primitives();
  if (all == nullptr) return false;
  const HostSection section;
  return all->database->is_own(given);
}

sqlite3* connection_for(sqlite3* given) {
  if (!is_shared(given)) return given;
  const HostSection section;
  return primitives()->database->connection_for(given);
}

/// A function of SQLite's that asks the connection something, or works with it.
template <auto function>
struct OnConnection;
template <class Result, class... Rest, Result (*function)(sqlite3*, Rest...)>
struct OnConnection<function> {
  static Result call(sqlite3* given, Rest... rest) {
    sqlite3* const connection = connection_for(given);
    if (connection == given) return function(given, rest...);
    DatabaseSession::enter_library();
    if constexpr (std::is_void_v<Result>) {
      function(connection, rest...);
      DatabaseSession::leave_library();
    } else {
      const Result result = function(connection, rest...);
      DatabaseSession::leave_library();
      return result;
    }
  }
};

/// One that gives the connection something of the module's to keep: it would call it when the module is gone.
template <auto function>
struct OnOwnConnection;
template <class Result, class... Rest, Result (*function)(sqlite3*, Rest...)>
struct OnOwnConnection<function> {
  static Result call(sqlite3* given, Rest... rest) {
    if (!is_servers(given)) return function(given, rest...);
    if constexpr (std::is_same_v<Result, int>) {
      return SQLITE_MISUSE;
    } else if constexpr (std::is_void_v<Result>) {
      return;
    } else {
      return nullptr;
    }
  }
};

int host_exec(sqlite3* given, const char* sql, RowCallback callback, void* argument, char** error) {
  return is_shared(given) ? execute(sql, callback, argument, error)
                          : sqlite3_exec(given, sql, callback, argument, error);
}

int host_prepare(sqlite3* given, const char* sql, int bytes, sqlite3_stmt** statement, const char** rest) {
  return is_shared(given) ? prepare(sql, bytes, 0, statement, rest)
                          : sqlite3_prepare(given, sql, bytes, statement, rest);
}

int host_prepare_v2(sqlite3* given, const char* sql, int bytes, sqlite3_stmt** statement, const char** rest) {
  return is_shared(given) ? prepare(sql, bytes, 0, statement, rest)
                          : sqlite3_prepare_v2(given, sql, bytes, statement, rest);
}

int host_prepare_v3(sqlite3* given, const char* sql, int bytes, unsigned flags, sqlite3_stmt** statement,
                    const char** rest) {
  return is_shared(given) ? prepare(sql, bytes, flags, statement, rest)
                          : sqlite3_prepare_v3(given, sql, bytes, flags, statement, rest);
}

/// The server's connections stay open; a module that closes what it did not open has done no harm.
int host_close(sqlite3* given) {
  return is_servers(given) ? SQLITE_OK : sqlite3_close(given);
}

int host_close_v2(sqlite3* given) {
  return is_servers(given) ? SQLITE_OK : sqlite3_close_v2(given);
}

/// Those of the server wait as long as they wait.
int host_busy_timeout(sqlite3* given, int ms) {
  return is_servers(given) ? SQLITE_OK : sqlite3_busy_timeout(given, ms);
}

}  // namespace

std::span<const HostSymbol> sqlite_functions() {
  static const HostSymbol functions[] = {
      host_function("sqlite3_exec", host_exec),
      host_function("sqlite3_prepare", host_prepare),
      host_function("sqlite3_prepare_v2", host_prepare_v2),
      host_function("sqlite3_prepare_v3", host_prepare_v3),
      host_function("sqlite3_step", step),
      host_function("sqlite3_reset", reset),
      host_function("sqlite3_finalize", finalize),
      host_function("sqlite3_column_text", OnStatement<sqlite3_column_text>::any),
      host_function("sqlite3_column_text16", OnStatement<sqlite3_column_text16>::any),
      host_function("sqlite3_column_blob", OnStatement<sqlite3_column_blob>::any),
      host_function("sqlite3_column_bytes", OnStatement<sqlite3_column_bytes>::any),
      host_function("sqlite3_column_bytes16", OnStatement<sqlite3_column_bytes16>::any),
      host_function("sqlite3_close", host_close),
      host_function("sqlite3_close_v2", host_close_v2),
      host_function("sqlite3_busy_timeout", host_busy_timeout),

      host_function("sqlite3_errmsg", OnConnection<sqlite3_errmsg>::call),
      host_function("sqlite3_errcode", OnConnection<sqlite3_errcode>::call),
      host_function("sqlite3_extended_errcode", OnConnection<sqlite3_extended_errcode>::call),
      host_function("sqlite3_changes", OnConnection<sqlite3_changes>::call),
      host_function("sqlite3_changes64", OnConnection<sqlite3_changes64>::call),
      host_function("sqlite3_total_changes", OnConnection<sqlite3_total_changes>::call),
      host_function("sqlite3_last_insert_rowid", OnConnection<sqlite3_last_insert_rowid>::call),
      host_function("sqlite3_get_autocommit", OnConnection<sqlite3_get_autocommit>::call),
      host_function("sqlite3_get_table", OnConnection<sqlite3_get_table>::call),
      host_function("sqlite3_table_column_metadata", OnConnection<sqlite3_table_column_metadata>::call),

      host_function("sqlite3_create_function", OnOwnConnection<sqlite3_create_function>::call),
      host_function("sqlite3_create_function16", OnOwnConnection<sqlite3_create_function16>::call),
      host_function("sqlite3_create_function_v2", OnOwnConnection<sqlite3_create_function_v2>::call),
      host_function("sqlite3_create_window_function", OnOwnConnection<sqlite3_create_window_function>::call),
      host_function("sqlite3_create_collation", OnOwnConnection<sqlite3_create_collation>::call),
      host_function("sqlite3_create_collation16", OnOwnConnection<sqlite3_create_collation16>::call),
      host_function("sqlite3_create_collation_v2", OnOwnConnection<sqlite3_create_collation_v2>::call),
      host_function("sqlite3_collation_needed", OnOwnConnection<sqlite3_collation_needed>::call),
      host_function("sqlite3_collation_needed16", OnOwnConnection<sqlite3_collation_needed16>::call),
      host_function("sqlite3_create_module", OnOwnConnection<sqlite3_create_module>::call),
      host_function("sqlite3_create_module_v2", OnOwnConnection<sqlite3_create_module_v2>::call),
      host_function("sqlite3_progress_handler", OnOwnConnection<sqlite3_progress_handler>::call),
      host_function("sqlite3_busy_handler", OnOwnConnection<sqlite3_busy_handler>::call),
      host_function("sqlite3_set_authorizer", OnOwnConnection<sqlite3_set_authorizer>::call),
      host_function("sqlite3_trace_v2", OnOwnConnection<sqlite3_trace_v2>::call),
      host_function("sqlite3_commit_hook", OnOwnConnection<sqlite3_commit_hook>::call),
      host_function("sqlite3_rollback_hook", OnOwnConnection<sqlite3_rollback_hook>::call),
      host_function("sqlite3_update_hook", OnOwnConnection<sqlite3_update_hook>::call),
      host_function("sqlite3_wal_hook", OnOwnConnection<sqlite3_wal_hook>::call),
  };
  return functions;
}

}  // namespace cweb::runtime
