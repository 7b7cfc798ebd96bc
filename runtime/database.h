// The SQLite database that all modules share: a connection for each thread, and the statements that modules have.
#pragma once

#include <sqlite3.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <string>
#include <unordered_map>

#include "base/error.h"

namespace cweb::runtime {

class DatabaseSession;
class ModuleVersion;

/// A statement that a module has prepared. Its connection may have been closed meanwhile: SQLite keeps what it needs.
struct DatabaseStatement {
  std::mutex mutex;
  sqlite3_stmt* handle = nullptr;                         ///< guarded by mutex; null: finalized
  uint64_t version = 0;                                   ///< id of the version that prepared it; 0: none
  bool changes_settings = false;                          ///< of its connection, when it is stepped
  std::shared_ptr<std::atomic<bool>> connection_changed;  ///< of its connection, which writes there
};

/// Thread-safe. Calls no code of modules. What is no statement of this database's is SQLITE_MISUSE, whatever it points
/// to. Whoever finds the database locked waits up to 5 seconds, or until its call is overdue; a query ends when its
/// call is overdue.
class Database : public std::enable_shared_from_this<Database> {
 public:
  /// The file, made if need be, or for an empty name a database in memory that lasts as long as this.
  static Expected<std::shared_ptr<Database>> open(const std::string& file);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// What modules have as `database->db`: it stands for the connection of the thread that uses it.
  sqlite3* handle() const { return main_; }
  /// A new connection, which is the caller's.
  Expected<sqlite3*> connect() const;
  /// The calling thread's connection, if this is handle(); null when there is none to be had.
  sqlite3* connection_for(sqlite3* given);
  /// Is this a connection of the database's, or handle()?
  bool is_own(const sqlite3* connection) const;

  /// As sqlite3_prepare_v3; `sql` ends at a NUL or after `bytes`. Gives `rest` as an offset.
  int prepare(const char* sql, int bytes, unsigned flags, sqlite3_stmt*& statement, size_t& rest);
  int prepare16(const void* sql, int bytes, unsigned flags, sqlite3_stmt*& statement, size_t& rest);
  /// Is it a statement that was prepared here and is not finalized?
  bool knows(const sqlite3_stmt* statement) const { return find(statement) != nullptr; }

  int step(sqlite3_stmt* statement);
  int reset(sqlite3_stmt* statement);
  int finalize(sqlite3_stmt* statement);
  /// Both copy. `encoding` as for sqlite3_bind_text64.
  int bind_text(sqlite3_stmt* statement, int index, const void* text, uint64_t bytes, unsigned char encoding);
  int bind_blob(sqlite3_stmt* statement, int index, const void* blob, uint64_t bytes);
  /// `use` with the statement, which nobody else uses or finalizes meanwhile; `otherwise` for what is no statement of
  /// this database's.
  template <class Result, class Use>
  Result with_statement(sqlite3_stmt* statement, Result otherwise, const Use& use) {
    return with(statement, otherwise, [&](const auto& known) { return use(known->handle); });
  }

  /// A setting of the calling thread's connection has been changed; the change ends with the call.
  void note_change();

  // Of the calling thread's last step.
  int changes();
  int64_t last_insert_rowid();

  /// Finalizes all statements that the version has left.
  void forget(const ModuleVersion& version);

 private:
  friend class DatabaseSession;
  Database(std::string name, bool is_file) : name_(std::move(name)), is_file_(is_file) {}
  /// Notes the statement that `prepare` makes with the calling thread's connection.
  template <class Prepare>
  int prepare_with(const Prepare& prepare, sqlite3_stmt*& statement);
  void add_connection(sqlite3* connection);
  void remove_connection(sqlite3* connection);
  std::shared_ptr<DatabaseStatement> find(const sqlite3_stmt* statement) const;
  static int finalize(DatabaseStatement& statement);
  /// One thread at a time uses a statement, and none one that is finalized.
  template <class Result, class Use>
  Result with(sqlite3_stmt* handle, Result otherwise, const Use& use) {
    const std::shared_ptr<DatabaseStatement> statement = find(handle);
    if (!statement) return otherwise;
    const std::lock_guard lock(statement->mutex);
    return statement->handle == nullptr ? otherwise : use(statement);
  }

  const std::string name_;  ///< a file, or a URI of SQLite's
  const bool is_file_;
  sqlite3* main_ = nullptr;  ///< keeps a database in memory alive; runs nothing

  mutable std::shared_mutex mutex_;
  std::set<const sqlite3*> connections_;                                                    // guarded by mutex_
  std::unordered_map<const sqlite3_stmt*, std::shared_ptr<DatabaseStatement>> statements_;  // guarded by mutex_
};

}  // namespace cweb::runtime
