// The calling thread's connection to the modules' database, and what has to be put in order when a call ends.
#pragma once

#include <sqlite3.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

namespace cweb::runtime {

class Database;
struct DatabaseStatement;

/// One for each thread that has used the database, made and destroyed on it.
class DatabaseSession {
 public:
  /// The calling thread's with this database; null when no connection is to be had.
  static DatabaseSession* of(Database& database);
  ~DatabaseSession();
  DatabaseSession(const DatabaseSession&) = delete;
  DatabaseSession& operator=(const DatabaseSession&) = delete;

  /// After each call into a module: rolls back a transaction that it has left open and resets the statements that it
  /// has left in the middle of their rows, or nobody else could write. What it has set of the connection ends too.
  static void end_call() {
    if (used_) clean_up();
  }

  sqlite3* connection() const { return connection_; }
  /// Whether settings of the connection are not those that it began with. Whoever has statements of it keeps this.
  const std::shared_ptr<std::atomic<bool>>& changed() const { return changed_; }

  /// After a step of a statement, whosever connection it belongs to.
  void note_step(const std::shared_ptr<DatabaseStatement>& statement, int result);
  /// It has been reset or finalized.
  void note_end(const DatabaseStatement& statement);
  int changes() const { return changes_; }
  int64_t last_insert_rowid() const { return last_insert_rowid_; }

  /// Around functions of SQLite's that read what the module gave: a call that is left by a jump in there leaves the
  /// connection in the middle, and it is not used again.
  static void enter_library() { in_library_ = true; }
  static void leave_library() { in_library_ = false; }

 private:
  DatabaseSession(std::shared_ptr<Database> database, sqlite3* connection);
  static void clean_up();
  void put_in_order();
  /// The next call on this thread finds the settings of a new connection.
  static void renew();

  static constinit thread_local bool used_;        ///< in this call
  static constinit thread_local bool in_library_;  ///< see enter_library

  const std::shared_ptr<Database> database_;
  const std::shared_ptr<std::atomic<bool>> changed_ = std::make_shared<std::atomic<bool>>(false);
  sqlite3* const connection_;
  std::vector<std::shared_ptr<DatabaseStatement>> in_rows_;  ///< statements that this thread has stepped to a row
  int changes_ = 0;
  int64_t last_insert_rowid_ = 0;
};

}  // namespace cweb::runtime
