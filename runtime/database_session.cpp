#include "runtime/database_session.h"

#include <algorithm>
#include <mutex>
#include <new>
#include <utility>

#include "base/log.h"
#include "runtime/database.h"
#include "runtime/database_settings.h"
#include "runtime/module_thread.h"
#include "runtime/module_version.h"

namespace cweb::runtime {

constinit thread_local bool DatabaseSession::used_ = false;
constinit thread_local bool DatabaseSession::in_library_ = false;

static thread_local std::unique_ptr<DatabaseSession> thread_session;

DatabaseSession* DatabaseSession::of(Database& database) {
  const bool is_first_use = !std::exchange(used_, true);
  // By another thread, with a statement of this one's.
  if (is_first_use && thread_session && *thread_session->changed_) renew();
  if (thread_session && thread_session->database_.get() == &database) return thread_session.get();
  auto connection = database.connect();
  if (!connection) return nullptr;
  database.add_connection(*connection);
  thread_session.reset(new DatabaseSession(database.shared_from_this(), *connection));
  return thread_session.get();
}

DatabaseSession::DatabaseSession(std::shared_ptr<Database> database, sqlite3* connection)
    : database_(std::move(database)), connection_(connection) {
  watch_settings(connection_, *changed_);
}

DatabaseSession::~DatabaseSession() {
  put_in_order();
  database_->remove_connection(connection_);
  // Statements of it that modules still have keep it open.
  sqlite3_close_v2(connection_);
}

void DatabaseSession::note_step(const std::shared_ptr<DatabaseStatement>& statement, int result) {
  sqlite3* const connection = sqlite3_db_handle(statement->handle);
  changes_ = sqlite3_changes(connection);
  last_insert_rowid_ = sqlite3_last_insert_rowid(connection);
  if (result != SQLITE_ROW) return note_end(*statement);
  const auto known = std::find(in_rows_.begin(), in_rows_.end(), statement);
  if (known == in_rows_.end()) in_rows_.push_back(statement);
}

void DatabaseSession::note_end(const DatabaseStatement& statement) {
  std::erase_if(in_rows_, [&](const auto& each) { return each.get() == &statement; });
}

void DatabaseSession::put_in_order() {
  // First of all: who uses one of these statements now may be waiting for the transaction's end.
  const bool has_transaction = sqlite3_get_autocommit(connection_) == 0;
  if (has_transaction) sqlite3_exec(connection_, "ROLLBACK", nullptr, nullptr, nullptr);
  for (const auto& statement : in_rows_) {
    const std::lock_guard lock(statement->mutex);
    if (statement->handle != nullptr) sqlite3_reset(statement->handle);
  }
  in_rows_.clear();
  const ModuleVersion* const version = current_version();
  if (!has_transaction || version == nullptr) return;
  log::warn("database: module {} has left a transaction open at the end of a call, and it is rolled back",
            version->config.name);
}

void DatabaseSession::renew() {
  // With statements of it, which may be another module's, it stays open: they go on with the settings that they had.
  if (sqlite3_next_stmt(thread_session->connection_, nullptr) == nullptr) return thread_session.reset();
  try {
    put_settings_back(thread_session->connection_, thread_session->database_->handle());
    *thread_session->changed_ = false;
  } catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch)
    // The next call tries again.
  }
}

void DatabaseSession::clean_up() {
  used_ = false;
  if (!thread_session) return;
  if (!in_library_) {
    thread_session->put_in_order();
    if (*thread_session->changed_) renew();
    return;
  }
  in_library_ = false;
  // Its locks may be held, so that even closing it could wait for ever.
  static std::mutex mutex;
  static auto* const abandoned = new std::vector<DatabaseSession*>();  // they outlive main, as its threads may
  {
    const std::lock_guard lock(mutex);
    abandoned->push_back(thread_session.release());
  }
  log::warn("database: a call was ended inside SQLite: the connection of its thread is not used again");
}

}  // namespace cweb::runtime
