// SQLite's own functions where they are given `database->db`, which stands for the connection of the thread that calls,
// or a statement of the modules' database. What they are given else is SQLite's affair: modules open databases of their
// own.
#include <sqlite3.h>

#include "runtime/database_session.h"
#include "runtime/fault_guard.h"
#include "runtime/host_functions.h"
#include "runtime/host_memory_check.h"
#include "runtime/host_statements.h"
#include "runtime/primitives.h"

// What a build of SQLite may lack, and <sqlite3.h> declares in part for those only that ask for it.
extern "C" {
[[gnu::weak]] int sqlite3_unlock_notify(sqlite3*, void (*)(void**, int), void*);
[[gnu::weak]] int sqlite3_rtree_geometry_callback(sqlite3*, const char*,
                                                  int (*)(sqlite3_rtree_geometry*, int, sqlite3_rtree_dbl*, int*),
                                                  void*);
[[gnu::weak]] int sqlite3_rtree_query_callback(sqlite3*, const char*, int (*)(sqlite3_rtree_query_info*), void*,
                                               void (*)(void*));
#ifndef SQLITE_ENABLE_PREUPDATE_HOOK
[[gnu::weak]] void* sqlite3_preupdate_hook(sqlite3*, void (*)(), void*);
#endif
#ifndef SQLITE_ENABLE_SESSION
[[gnu::weak]] int sqlite3session_create(sqlite3*, const char*, void**);
[[gnu::weak]] int sqlite3changeset_apply(sqlite3*, int, void*, void*, void*, void*);
[[gnu::weak]] int sqlite3changeset_apply_v2(sqlite3*, int, void*, void*, void*, void*, void**, int*, int);
[[gnu::weak]] int sqlite3changeset_apply_strm(sqlite3*, void*, void*, void*, void*, void*);
[[gnu::weak]] int sqlite3changeset_apply_v2_strm(sqlite3*, void*, void*, void*, void*, void*, void**, int*, int);
#endif
}

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

/// What a function answers that does nothing.
template <class Result>
Result nothing(int error) {
  if constexpr (std::is_same_v<Result, int>) {
    return error;
  } else if constexpr (!std::is_void_v<Result>) {
    return Result{};
  }
}

/// A function of SQLite's that asks the connection something, or works with it.
template <auto function>
struct OnConnection;
template <class Result, class... Rest, Result (*function)(sqlite3*, Rest...)>
struct OnConnection<function> {
  static Result call(sqlite3* given, Rest... rest) {
    sqlite3* const connection = connection_for(given);
    if (connection == given) return function(given, rest...);
    if (connection == nullptr) return nothing<Result>(SQLITE_CANTOPEN);
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

/// One that changes a setting of the connection: until the call ends.
template <auto function>
struct UntilCallEnds;
template <class Result, class... Rest, Result (*function)(sqlite3*, Rest...)>
struct UntilCallEnds<function> {
  static Result call(sqlite3* given, Rest... rest) {
    const Result result = OnConnection<function>::call(given, rest...);
    if (is_shared(given)) {
      const HostSection section;
      primitives()->database->note_change();
    }
    return result;
  }
};

/// One that gives the connection something of the module's to keep, which it would call when the module is gone, or
/// makes something of it that would outlast the call, with its locks.
template <auto function>
struct OnOwnConnection;
template <class Result, class... Rest, Result (*function)(sqlite3*, Rest...)>
struct OnOwnConnection<function> {
  static Result call(sqlite3* given, Rest... rest) {
    return is_servers(given) ? nothing<Result>(SQLITE_MISUSE) : function(given, rest...);
  }
};

/// The same, of those that SQLite may lack.
template <auto function>
struct IfThere;
template <class Result, class... Rest, Result (*function)(sqlite3*, Rest...)>
struct IfThere<function> {
  static Result call(sqlite3* given, Rest... rest) {
    return is_servers(given) || function == nullptr ? nothing<Result>(SQLITE_MISUSE) : function(given, rest...);
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

int prepare_wide(sqlite3* given, const void* sql, int bytes, unsigned flags, sqlite3_stmt** statement,
                 const void** rest) {
  return is_shared(given) ? prepare16(sql, bytes, flags, statement, rest)
                          : sqlite3_prepare16_v3(given, sql, bytes, flags, statement, rest);
}

int host_prepare16(sqlite3* given, const void* sql, int bytes, sqlite3_stmt** statement, const void** rest) {
  return is_shared(given) ? prepare16(sql, bytes, 0, statement, rest)
                          : sqlite3_prepare16(given, sql, bytes, statement, rest);
}

int host_prepare16_v2(sqlite3* given, const void* sql, int bytes, sqlite3_stmt** statement, const void** rest) {
  return prepare_wide(given, sql, bytes, 0, statement, rest);
}

/// Statements of a thread's connection lead to what stands for it.
sqlite3* host_db_handle(sqlite3_stmt* statement) {
  return is_ours(statement) ? primitives()->database->handle() : sqlite3_db_handle(statement);
}

/// The others of a thread's connection are not all the module's.
sqlite3_stmt* host_next_stmt(sqlite3* given, sqlite3_stmt* statement) {
  return is_servers(given) || is_ours(statement) ? nullptr : sqlite3_next_stmt(given, statement);
}

/// Null is a mutex that nobody has to wait for.
sqlite3_mutex* host_db_mutex(sqlite3* given) {
  return is_servers(given) ? nullptr : sqlite3_db_mutex(given);
}

/// SQLite's own mutexes are the server's too, which a module that faults with one would stop.
sqlite3_mutex* host_mutex_alloc(int type) {
  const bool is_applications = type >= SQLITE_MUTEX_STATIC_APP1 && type <= SQLITE_MUTEX_STATIC_APP3;
  return type > SQLITE_MUTEX_RECURSIVE && !is_applications ? nullptr : sqlite3_mutex_alloc(type);
}

/// Below 0 it asks only.
int host_limit(sqlite3* given, int limit, int value) {
  return value < 0 ? OnConnection<sqlite3_limit>::call(given, limit, value)
                   : UntilCallEnds<sqlite3_limit>::call(given, limit, value);
}

/// What is given behind `operation` differs; three registers hold any of it.
int host_db_config(sqlite3* given, int operation, void* a, void* b, void* c) {
  return is_servers(given) ? SQLITE_MISUSE : sqlite3_db_config(given, operation, a, b, c);
}

/// A backup of the modules' database reads with a connection of its own, which SQLite closes when the backup is
/// finished. One into it would keep everybody else out until then.
sqlite3_backup* host_backup_init(sqlite3* to, const char* to_name, sqlite3* from, const char* from_name) {
  if (is_servers(to)) return nullptr;
  if (!is_servers(from)) return sqlite3_backup_init(to, to_name, from, from_name);
  // Before there is a connection to close.
  if (to == nullptr || from_name == nullptr || to_name == nullptr || sqlite3_errcode(to) == SQLITE_MISUSE)
    return nullptr;
  read_through(to_name);
  read_through(from_name);
  sqlite3* connection = nullptr;
  {
    const HostSection section;
    connection = primitives()->database->connect().value_or(nullptr);
  }
  if (connection == nullptr) return nullptr;
  sqlite3_backup* const backup = sqlite3_backup_init(to, to_name, connection, from_name);
  sqlite3_close_v2(connection);
  return backup;
}

int host_blob_open(sqlite3* given, const char* database, const char* table, const char* column, sqlite3_int64 row,
                   int flags, sqlite3_blob** blob) {
  if (!is_servers(given)) return sqlite3_blob_open(given, database, table, column, row, flags, blob);
  if (blob != nullptr) store(blob, static_cast<sqlite3_blob*>(nullptr));
  return SQLITE_MISUSE;
}

/// As SQLite does when it fails, it frees what it was to take over.
int host_deserialize(sqlite3* given, const char* schema, unsigned char* data, sqlite3_int64 bytes,
                     sqlite3_int64 capacity, unsigned flags) {
  if (!is_servers(given)) return sqlite3_deserialize(given, schema, data, bytes, capacity, flags);
  if ((flags & SQLITE_DESERIALIZE_FREEONCLOSE) != 0) free_block(data, {"sqlite3_deserialize", "SQLite"});
  return SQLITE_MISUSE;
}

/// One of its tests has SQLite call a function of the module's, whosever connection is used.
int host_test_control(int) {
  return SQLITE_MISUSE;
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
      host_function("sqlite3_prepare16", host_prepare16),
      host_function("sqlite3_prepare16_v2", host_prepare16_v2),
      host_function("sqlite3_prepare16_v3", prepare_wide),
      host_function("sqlite3_step", step),
      host_function("sqlite3_reset", reset),
      host_function("sqlite3_finalize", finalize),
      host_function("sqlite3_column_text", OnStatement<sqlite3_column_text>::any),
      host_function("sqlite3_column_text16", OnStatement<sqlite3_column_text16>::any),
      host_function("sqlite3_column_blob", OnStatement<sqlite3_column_blob>::any),
      host_function("sqlite3_column_bytes", OnStatement<sqlite3_column_bytes>::any),
      host_function("sqlite3_column_bytes16", OnStatement<sqlite3_column_bytes16>::any),
      host_function("sqlite3_db_handle", host_db_handle),
      host_function("sqlite3_next_stmt", host_next_stmt),
      host_function("sqlite3_db_mutex", host_db_mutex),
      host_function("sqlite3_mutex_alloc", host_mutex_alloc),
      host_function("sqlite3_db_config", host_db_config),
      host_function("sqlite3_backup_init", host_backup_init),
      host_function("sqlite3_blob_open", host_blob_open),
      host_function("sqlite3_deserialize", host_deserialize),
      host_function("sqlite3_test_control", host_test_control),
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
      host_function("sqlite3_errmsg16", OnConnection<sqlite3_errmsg16>::call),
      host_function("sqlite3_error_offset", OnConnection<sqlite3_error_offset>::call),
      host_function("sqlite3_total_changes64", OnConnection<sqlite3_total_changes64>::call),
      host_function("sqlite3_set_last_insert_rowid", OnConnection<sqlite3_set_last_insert_rowid>::call),
      host_function("sqlite3_txn_state", OnConnection<sqlite3_txn_state>::call),
      host_function("sqlite3_db_status", OnConnection<sqlite3_db_status>::call),
      host_function("sqlite3_system_errno", OnConnection<sqlite3_system_errno>::call),
      host_function("sqlite3_db_release_memory", OnConnection<sqlite3_db_release_memory>::call),
      host_function("sqlite3_db_cacheflush", OnConnection<sqlite3_db_cacheflush>::call),
      host_function("sqlite3_wal_checkpoint", OnConnection<sqlite3_wal_checkpoint>::call),
      host_function("sqlite3_wal_checkpoint_v2", OnConnection<sqlite3_wal_checkpoint_v2>::call),
      host_function("sqlite3_serialize", OnConnection<sqlite3_serialize>::call),

      host_function("sqlite3_limit", host_limit),
      host_function("sqlite3_extended_result_codes", UntilCallEnds<sqlite3_extended_result_codes>::call),
      host_function("sqlite3_wal_autocheckpoint", UntilCallEnds<sqlite3_wal_autocheckpoint>::call),

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
      host_function("sqlite3_trace", OnOwnConnection<sqlite3_trace>::call),
      host_function("sqlite3_profile", OnOwnConnection<sqlite3_profile>::call),
      host_function("sqlite3_autovacuum_pages", OnOwnConnection<sqlite3_autovacuum_pages>::call),
      host_function("sqlite3_overload_function", OnOwnConnection<sqlite3_overload_function>::call),
      host_function("sqlite3_drop_modules", OnOwnConnection<sqlite3_drop_modules>::call),
      host_function("sqlite3_load_extension", OnOwnConnection<sqlite3_load_extension>::call),
      host_function("sqlite3_enable_load_extension", OnOwnConnection<sqlite3_enable_load_extension>::call),
      host_function("sqlite3_file_control", OnOwnConnection<sqlite3_file_control>::call),
      host_function("sqlite3_unlock_notify", IfThere<sqlite3_unlock_notify>::call),
      host_function("sqlite3_preupdate_hook", IfThere<sqlite3_preupdate_hook>::call),
      host_function("sqlite3session_create", IfThere<sqlite3session_create>::call),
      host_function("sqlite3changeset_apply", IfThere<sqlite3changeset_apply>::call),
      host_function("sqlite3changeset_apply_v2", IfThere<sqlite3changeset_apply_v2>::call),
      host_function("sqlite3changeset_apply_strm", IfThere<sqlite3changeset_apply_strm>::call),
      host_function("sqlite3changeset_apply_v2_strm", IfThere<sqlite3changeset_apply_v2_strm>::call),
      host_function("sqlite3_rtree_geometry_callback", IfThere<sqlite3_rtree_geometry_callback>::call),
      host_function("sqlite3_rtree_query_callback", IfThere<sqlite3_rtree_query_callback>::call),
  };
  return functions;
}

}  // namespace cweb::runtime
