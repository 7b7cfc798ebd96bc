#include "runtime/database_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

namespace cweb::runtime {
namespace {

/// Whose argument says what to tell or to do once, or is kept in the file or with the transaction.
constexpr const char* harmless_pragmas[] = {
    "application_id", "defer_foreign_keys", "foreign_key_check", "foreign_key_list", "incremental_vacuum",
    "index_info",     "index_list",         "index_xinfo",       "integrity_check",  "optimize",
    "quick_check",    "schema_version",     "table_info",        "table_list",       "table_xinfo",
    "user_version",   "wal_checkpoint"};
/// They do nothing: how long who waits is the server's to say, and so is what concerns the whole process.
constexpr const char* servers_pragmas[] = {"busy_timeout",    "locking_mode",         "soft_heap_limit",
                                           "hard_heap_limit", "data_store_directory", "temp_store_directory"};
/// Those that can be asked for their value. The first are needed for what follows.
constexpr const char* settings[] = {"query_only",
                                    "writable_schema",
                                    "trusted_schema",
                                    "analysis_limit",
                                    "automatic_index",
                                    "cache_size",
                                    "cache_spill",
                                    "cell_size_check",
                                    "checkpoint_fullfsync",
                                    "count_changes",
                                    "empty_result_callbacks",
                                    "foreign_keys",
                                    "full_column_names",
                                    "fullfsync",
                                    "ignore_check_constraints",
                                    "journal_mode",
                                    "journal_size_limit",
                                    "legacy_alter_table",
                                    "max_page_count",
                                    "mmap_size",
                                    "read_uncommitted",
                                    "recursive_triggers",
                                    "reverse_unordered_selects",
                                    "secure_delete",
                                    "short_column_names",
                                    "synchronous",
                                    "temp_store",
                                    "threads",
                                    "wal_autocheckpoint"};

template <size_t count>
bool is_among(const char* const (&names)[count], const char* name) {
  return std::ranges::any_of(names, [&](const char* each) { return sqlite3_stricmp(each, name) == 0; });
}

int look_at_pragma(std::atomic<bool>& changed, const char* name, const char* argument) {
  if (argument == nullptr || is_among(harmless_pragmas, name)) return SQLITE_OK;
  if (is_among(servers_pragmas, name)) return SQLITE_IGNORE;
  changed.store(true, std::memory_order_relaxed);
  return SQLITE_OK;
}

/// SQLite calls it for each thing that a statement will do, when it is prepared.
int look_at(void* changed, int action, const char* first, const char* second, const char* database, const char*) {
  auto& is_changed = *static_cast<std::atomic<bool>*>(changed);
  switch (action) {
    case SQLITE_PRAGMA:
      return look_at_pragma(is_changed, first, second);
    case SQLITE_FUNCTION:  // it takes addresses of functions
      return std::strcmp(second, "fts3_tokenizer") == 0 ? SQLITE_DENY : SQLITE_OK;
    case SQLITE_CREATE_INDEX:
    case SQLITE_CREATE_TABLE:
    case SQLITE_CREATE_TRIGGER:
    case SQLITE_CREATE_VIEW:
    case SQLITE_CREATE_VTABLE:
      if (database == nullptr || std::strcmp(database, "temp") != 0) return SQLITE_OK;
      [[fallthrough]];
    case SQLITE_ATTACH:
    case SQLITE_DETACH:
    case SQLITE_CREATE_TEMP_INDEX:
    case SQLITE_CREATE_TEMP_TABLE:
    case SQLITE_CREATE_TEMP_TRIGGER:
    case SQLITE_CREATE_TEMP_VIEW:
      is_changed.store(true, std::memory_order_relaxed);
      return SQLITE_OK;
    default:
      return SQLITE_OK;
  }
}

/// The first column of each row.
std::vector<std::string> answers(sqlite3* connection, const std::string& query) {
  std::vector<std::string> found;
  const auto keep = [](void* to, int count, char** values, char**) {
    if (count > 0 && values[0] != nullptr) static_cast<std::vector<std::string>*>(to)->emplace_back(values[0]);
    return 0;
  };
  sqlite3_exec(connection, query.c_str(), keep, &found, nullptr);
  return found;
}

void run(sqlite3* connection, const std::string& sql) {
  sqlite3_exec(connection, sql.c_str(), nullptr, nullptr, nullptr);
}

}  // namespace

void watch_settings(sqlite3* connection, std::atomic<bool>& changed) {
  sqlite3_set_authorizer(connection, look_at, &changed);
}

void put_settings_back(sqlite3* connection, sqlite3* unchanged) {
  sqlite3_extended_result_codes(connection, 0);
  for (int limit = 0; limit <= SQLITE_LIMIT_WORKER_THREADS; ++limit) {
    sqlite3_limit(connection, limit, sqlite3_limit(unchanged, limit, -1));
  }
  run(connection, "PRAGMA case_sensitive_like = 0");
  for (const std::string name : settings) {
    for (const std::string& value : answers(unchanged, "PRAGMA " + name)) {
      run(connection, fmt::format("PRAGMA main.{} = {}", name, value));
    }
  }
  for (const std::string& drop :
       answers(connection,
               "SELECT format('DROP %s IF EXISTS temp.\"%w\"', type, name) FROM temp.sqlite_schema "
               "WHERE substr(name, 1, 7) <> 'sqlite_'")) {
    run(connection, drop);
  }
  for (const std::string& detach : answers(connection,
                                           "SELECT format('DETACH \"%w\"', name) FROM pragma_database_list "
                                           "WHERE name NOT IN ('main', 'temp')")) {
    run(connection, detach);
  }
}

}  // namespace cweb::runtime
