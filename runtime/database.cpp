#include "runtime/database.h"

#include <fmt/format.h>
#include <time.h>

#include <atomic>
#include <cstring>
#include <vector>

#include "base/clock.h"
#include "runtime/calling_thread.h"
#include "runtime/database_session.h"
#include "runtime/library_heap.h"
#include "runtime/module_thread.h"
#include "runtime/module_version.h"

namespace cweb::runtime {
namespace {

constexpr int64_t longest_wait_ns = 5'000'000'000;
/// Pages that a connection keeps: there may be one for each of a thousand threads.
constexpr const char* settings = "PRAGMA cache_size = -1024; PRAGMA synchronous = NORMAL";
/// Instructions of SQLite's machine between two looks at the deadline.
constexpr int instructions_between_looks = 4096;

bool is_overdue() {
  const CallingThread* const thread = CallingThread::current();
  return thread != nullptr && thread->is_overdue();
}

/// Waits a moment for a lock; 0 gives up. SQLite's own way of waiting sleeps longer each time, up to 100 ms.
int wait_for_lock(void*, int tries) {
  static thread_local int64_t begun_ns = 0;
  if (tries == 0) begun_ns = monotonic_ns();
  if (is_overdue() || monotonic_ns() - begun_ns > longest_wait_ns) return 0;
  const timespec pause{.tv_sec = 0, .tv_nsec = tries < 10 ? 50'000 : 500'000};
  nanosleep(&pause, nullptr);
  return 1;
}

int stop_if_overdue(void*) {
  return is_overdue() ? 1 : 0;
}

}  // namespace

Expected<std::shared_ptr<Database>> Database::open(const std::string& file) {
  set_up_sqlite_heap();
  static std::atomic<unsigned> number{0};
  const std::string name = file.empty() ? fmt::format("file:/cweb-modules-{}?vfs=memdb", number.fetch_add(1)) : file;
  std::shared_ptr<Database> database(new Database(name, !file.empty()));
  auto connection = database->connect();
  if (!connection) return std::unexpected(connection.error());
  database->main_ = *connection;
  database->add_connection(*connection);
  if (file.empty()) return database;
  // Readers and the one writer do not wait for each other then. It stays with the file.
  char* message = nullptr;
  if (sqlite3_exec(*connection, "PRAGMA journal_mode = WAL; BEGIN IMMEDIATE; COMMIT", nullptr, nullptr, &message) !=
      SQLITE_OK) {
    const std::string reason = message == nullptr ? "no reason given" : message;
    sqlite3_free(message);
    return fail(fmt::format("the database {} cannot be used: {}", file, reason));
  }
  return database;
}

Database::~Database() {
  for (auto& [handle, statement] : statements_) finalize(*statement);
  sqlite3_close_v2(main_);
}

Expected<sqlite3*> Database::connect() const {
  sqlite3* connection = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX | SQLITE_OPEN_PRIVATECACHE |
                    (is_file_ ? 0 : SQLITE_OPEN_URI);
  if (const int error = sqlite3_open_v2(name_.c_str(), &connection, flags, nullptr); error != SQLITE_OK) {
    sqlite3_close_v2(connection);
    return fail(fmt::format("the database {} cannot be opened: {}", name_, sqlite3_errstr(error)));
  }
  sqlite3_extended_result_codes(connection, 0);
  sqlite3_busy_handler(connection, wait_for_lock, nullptr);
  sqlite3_progress_handler(connection, instructions_between_looks, stop_if_overdue, nullptr);
  sqlite3_exec(connection, settings, nullptr, nullptr, nullptr);
  return connection;
}

void Database::add_connection(sqlite3* connection) {
  const std::lock_guard lock(mutex_);
  connections_.insert(connection);
}

void Database::remove_connection(sqlite3* connection) {
  const std::lock_guard lock(mutex_);
  connections_.erase(connection);
}

bool Database::is_own(const sqlite3* connection) const {
  const std::shared_lock lock(mutex_);
  return connections_.contains(connection);
}

sqlite3* Database::connection_for(sqlite3* given) {
  if (given != main_) return given;
  const DatabaseSession* const session = DatabaseSession::of(*this);
  return session == nullptr ? nullptr : session->connection();
}

std::shared_ptr<DatabaseStatement> Database::find(const sqlite3_stmt* statement) const {
  const std::shared_lock lock(mutex_);
  const auto found = statements_.find(statement);
  return found == statements_.end() ? nullptr : found->second;
}

template <class Prepare>
int Database::prepare_with(const Prepare& prepare, sqlite3_stmt*& statement) {
  statement = nullptr;
  DatabaseSession* const session = DatabaseSession::of(*this);
  if (session == nullptr) return SQLITE_CANTOPEN;
  // What is noted is this statement's then.
  std::atomic<bool>& changed = *session->changed();
  const bool was_changed = changed.exchange(false);
  const int result = prepare(session->connection());
  const bool changes_settings = changed;
  if (was_changed) changed = true;
  if (statement == nullptr) return result;
  auto made = std::make_shared<DatabaseStatement>();
  made->changes_settings = changes_settings;
  made->connection_changed = session->changed();
  made->handle = statement;
  made->version = current_version() == nullptr ? 0 : current_version()->id();
  const std::lock_guard lock(mutex_);
  statements_.insert_or_assign(statement, std::move(made));
  return result;
}

int Database::prepare(const char* sql, int bytes, unsigned flags, sqlite3_stmt*& statement, size_t& rest) {
  const char* end = sql;
  const int result = prepare_with(
      [&](sqlite3* connection) { return sqlite3_prepare_v3(connection, sql, bytes, flags, &statement, &end); },
      statement);
  rest = static_cast<size_t>(end - sql);
  return result;
}

int Database::prepare16(const void* sql, int bytes, unsigned flags, sqlite3_stmt*& statement, size_t& rest) {
  const void* end = sql;
  const int result = prepare_with(
      [&](sqlite3* connection) { return sqlite3_prepare16_v3(connection, sql, bytes, flags, &statement, &end); },
      statement);
  rest = static_cast<size_t>(static_cast<const char*>(end) - static_cast<const char*>(sql));
  return result;
}

int Database::step(sqlite3_stmt* statement) {
  DatabaseSession* const session = DatabaseSession::of(*this);
  if (session == nullptr) return SQLITE_CANTOPEN;
  return with(statement, SQLITE_MISUSE, [&](const std::shared_ptr<DatabaseStatement>& known) {
    if (known->changes_settings) *known->connection_changed = true;
    const int result = sqlite3_step(known->handle);
    session->note_step(known, result);
    return result;
  });
}

int Database::reset(sqlite3_stmt* statement) {
  DatabaseSession* const session = DatabaseSession::of(*this);
  return with(statement, SQLITE_MISUSE, [&](const std::shared_ptr<DatabaseStatement>& known) {
    if (session != nullptr) session->note_end(*known);
    return sqlite3_reset(known->handle);
  });
}

int Database::finalize(sqlite3_stmt* statement) {
  if (statement == nullptr) return SQLITE_OK;
  std::shared_ptr<DatabaseStatement> known;
  {
    const std::lock_guard lock(mutex_);
    const auto found = statements_.find(statement);
    if (found == statements_.end()) return SQLITE_MISUSE;
    known = std::move(found->second);
    statements_.erase(found);
  }
  if (DatabaseSession* const session = DatabaseSession::of(*this)) session->note_end(*known);
  return finalize(*known);
}

int Database::finalize(DatabaseStatement& statement) {
  const std::lock_guard lock(statement.mutex);
  return sqlite3_finalize(std::exchange(statement.handle, nullptr));
}

int Database::bind_text(sqlite3_stmt* statement, int index, const void* text, uint64_t bytes, unsigned char encoding) {
  return with(statement, SQLITE_MISUSE, [&](const auto& known) {
    return sqlite3_bind_text64(known->handle, index, static_cast<const char*>(text), bytes, SQLITE_TRANSIENT, encoding);
  });
}

int Database::bind_blob(sqlite3_stmt* statement, int index, const void* blob, uint64_t bytes) {
  return with(statement, SQLITE_MISUSE, [&](const auto& known) {
    return sqlite3_bind_blob64(known->handle, index, blob, bytes, SQLITE_TRANSIENT);
  });
}

void Database::note_change() {
  if (DatabaseSession* const session = DatabaseSession::of(*this)) *session->changed() = true;
}

int Database::changes() {
  const DatabaseSession* const session = DatabaseSession::of(*this);
  return session == nullptr ? 0 : session->changes();
}

int64_t Database::last_insert_rowid() {
  const DatabaseSession* const session = DatabaseSession::of(*this);
  return session == nullptr ? 0 : session->last_insert_rowid();
}

void Database::forget(const ModuleVersion& version) {
  std::vector<std::shared_ptr<DatabaseStatement>> left;
  {
    const std::lock_guard lock(mutex_);
    for (auto each = statements_.begin(); each != statements_.end();) {
      if (each->second->version != version.id()) {
        ++each;
        continue;
      }
      left.push_back(std::move(each->second));
      each = statements_.erase(each);
    }
  }
  for (const auto& statement : left) finalize(*statement);
}

}  // namespace cweb::runtime
