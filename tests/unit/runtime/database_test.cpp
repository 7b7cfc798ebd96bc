// The database: each thread's connection, statements that outlive their thread, and what is put in order behind a call.
#include "runtime/database.h"

#include <cweb.h>

#include <functional>
#include <thread>
#include <vector>

#include "primitives_fixture.h"
#include "temporary_directory.h"

namespace cweb::runtime {
namespace {

using Callback = int (*)(void*, int, char**, char**);
using Destructor = void (*)(void*);

/// As the documented generation calls them.
int exec(const char* sql, Callback callback = nullptr, void* argument = nullptr, char** error = nullptr) {
  return host_objects().database->exec(sql, callback, argument, error);
}

std::string value_of(const std::string& query) {
  std::string value;
  const auto keep = [](void* to, int count, char** values, char**) {
    *static_cast<std::string*>(to) = count > 0 && values[0] != nullptr ? values[0] : "null";
    return 0;
  };
  EXPECT_EQ(exec(query.c_str(), keep, &value), SQLITE_OK) << query;
  return value;
}

class DatabaseTest : public PrimitivesTest {
 protected:
  DatabaseTest() : version_(deploy("a")) {
    const Inside inside(version_);
    EXPECT_EQ(exec("CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT)"), SQLITE_OK);
  }
  sqldb& database() { return *host_objects().database; }

  const std::shared_ptr<ModuleVersion> version_;
};

TEST_F(DatabaseTest, both_generations_and_sqlites_own_functions_see_one_connection) {
  const Inside inside(version_);
  sqldb* const db = host_objects().database;
  EXPECT_EQ(db->exec("INSERT INTO t (text) VALUES ('one')", nullptr, nullptr, nullptr), SQLITE_OK);
  EXPECT_EQ(db->changes(), 1);
  EXPECT_EQ(db->last_insert_rowid(), 1);
  EXPECT_EQ(db->exec(db, "INSERT INTO t (text) VALUES ('two')", nullptr, nullptr, nullptr), SQLITE_OK);
  EXPECT_EQ(db->last_insert_rowid(db), 2);
  auto* const last = host<sqlite3_int64(sqlite3*)>("sqlite3_last_insert_rowid");
  EXPECT_EQ(last(db->db), 2);
  auto* const sqlite_exec = host<int(sqlite3*, const char*, Callback, void*, char**)>("sqlite3_exec");
  EXPECT_EQ(sqlite_exec(db->db, "UPDATE t SET text = text || '!'", nullptr, nullptr, nullptr), SQLITE_OK);
  EXPECT_EQ(db->changes(), 2);
  EXPECT_EQ(value_of("SELECT group_concat(text) FROM t"), "one!,two!");
  auto* const close = host<int(sqlite3*)>("sqlite3_close");
  EXPECT_EQ(close(db->db), SQLITE_OK);
  EXPECT_EQ(value_of("SELECT count(*) FROM t"), "2") << "it stays open";
}

TEST_F(DatabaseTest, statements_work_in_both_forms_of_prepare) {
  const Inside inside(version_);
  sqldb* const db = host_objects().database;
  sqlite3_stmt* statement = nullptr;
  const char* rest = nullptr;
  ASSERT_EQ(db->prepare("INSERT INTO t (text) VALUES (?); SELECT", -1, &statement, &rest), SQLITE_OK);
  EXPECT_STREQ(rest, " SELECT");
  char text[] = "copied";
  EXPECT_EQ(db->bind_text(statement, 1, text, -1, SQLITE_STATIC), SQLITE_OK);
  text[0] = 'X';
  EXPECT_EQ(db->step(statement), SQLITE_DONE);
  EXPECT_EQ(db->finalize(db, statement), SQLITE_OK);
  EXPECT_EQ(db->finalize(statement), SQLITE_MISUSE) << "a second time";
  EXPECT_EQ(db->step(statement), SQLITE_MISUSE);
  ASSERT_EQ(db->prepare(db, "SELECT text, id FROM t WHERE id >= ?", &statement), SQLITE_OK);
  EXPECT_EQ(db->bind_int(statement, 1, 1), SQLITE_OK);
  EXPECT_EQ(db->step(statement), SQLITE_ROW);
  EXPECT_STREQ(reinterpret_cast<const char*>(db->column_text(statement, 0)), "copied");
  EXPECT_EQ(db->column_int(db, statement, 1), 1);
  EXPECT_EQ(db->column_count(statement), 2);
  EXPECT_EQ(db->reset(statement), SQLITE_OK);
  EXPECT_EQ(db->step(db, statement), SQLITE_ROW);
  EXPECT_EQ(db->finalize(statement), SQLITE_OK);
  EXPECT_EQ(db->finalize(nullptr), SQLITE_OK);
}

int destroyed = 0;
void destroy(void*) {
  ++destroyed;
}

TEST_F(DatabaseTest, what_is_bound_is_copied_and_its_destructor_called_at_once) {
  const Inside inside(version_);
  sqlite3_stmt* statement = nullptr;
  ASSERT_EQ(database().prepare("SELECT ?1", -1, &statement, nullptr), SQLITE_OK);
  char text[] = "copied";
  char16_t wide[] = u"copied";
  using Bind64 = int(sqlite3_stmt*, int, const void*, sqlite3_uint64, Destructor, unsigned char);
  auto* const text64 = host<Bind64>("sqlite3_bind_text64");
  const auto blob64 = [](auto... given) {
    return host<int(sqlite3_stmt*, int, const void*, sqlite3_uint64, Destructor)>("sqlite3_bind_blob64")(given...);
  };
  auto* const text16 = host<int(sqlite3_stmt*, int, const void*, int, Destructor)>("sqlite3_bind_text16");
  constexpr auto to_the_end = static_cast<sqlite3_uint64>(-1);
  const std::function<int(Destructor)> ways[] = {
      [&](Destructor end) { return text64(statement, 1, text, 6, end, SQLITE_UTF8); },
      [&](Destructor end) { return text64(statement, 1, text, to_the_end, end, SQLITE_UTF8); },
      [&](Destructor end) { return text64(statement, 1, wide, 13, end, SQLITE_UTF16); },
      [&](Destructor end) { return text64(statement, 1, wide, to_the_end, end, SQLITE_UTF16LE); },
      [&](Destructor end) { return text16(statement, 1, wide, 12, end); },
      [&](Destructor end) { return text16(statement, 1, wide, -1, end); },
      [&](Destructor end) { return blob64(statement, 1, text, sqlite3_uint64{6}, end); },
  };
  for (const Destructor end : {Destructor{SQLITE_STATIC}, SQLITE_TRANSIENT, Destructor{destroy}}) {
    for (const auto& way : ways) {
      destroyed = 0;
      EXPECT_EQ(way(end), SQLITE_OK);
      EXPECT_EQ(destroyed, end == destroy ? 1 : 0);
      text[0] = 'X';
      wide[0] = u'X';
      EXPECT_EQ(database().step(statement), SQLITE_ROW);
      EXPECT_STREQ(reinterpret_cast<const char*>(database().column_text(statement, 0)), "copied") << &way - ways;
      EXPECT_EQ(database().reset(statement), SQLITE_OK);
      text[0] = 'c';
      wide[0] = u'c';
    }
  }
  destroyed = 0;
  auto* const pointer = host<int(sqlite3_stmt*, int, void*, const char*, Destructor)>("sqlite3_bind_pointer");
  EXPECT_EQ(pointer(statement, 1, text, "type", destroy), SQLITE_MISUSE) << "it cannot be copied";
  EXPECT_EQ(destroyed, 1);
  sqlite3_stmt* other = nullptr;
  ASSERT_EQ(database().prepare("SELECT ?1", -1, &other, nullptr), SQLITE_OK);
  EXPECT_EQ(database().step(statement), SQLITE_ROW);
  auto* const value = host<int(sqlite3_stmt*, int, const sqlite3_value*)>("sqlite3_bind_value");
  EXPECT_EQ(value(other, 1, sqlite3_column_value(statement, 0)), SQLITE_OK);
  EXPECT_EQ(database().finalize(statement), SQLITE_OK);
  EXPECT_EQ(database().step(other), SQLITE_ROW);
  EXPECT_STREQ(reinterpret_cast<const char*>(database().column_text(other, 0)), "copied");
}

TEST_F(DatabaseTest, errors_have_sqlites_words) {
  const Inside inside(version_);
  char* error = nullptr;
  EXPECT_EQ(exec("INSERT INTO nowhere VALUES (1)", nullptr, nullptr, &error), SQLITE_ERROR);
  ASSERT_NE(error, nullptr);
  EXPECT_STREQ(error, "no such table: nowhere");
  database().free(error);
  EXPECT_STREQ(host<const char*(sqlite3*)>("sqlite3_errmsg")(database().db), "no such table: nowhere");
  EXPECT_EQ(exec("INSERT INTO t (id) VALUES (7); INSERT INTO t (id) VALUES (7); INSERT INTO t (id) VALUES (8)", nullptr,
                 nullptr, &error),
            SQLITE_CONSTRAINT);
  EXPECT_STREQ(error, "UNIQUE constraint failed: t.id");
  database().free(error);
  EXPECT_EQ(value_of("SELECT count(*) FROM t"), "1");
  const auto stop = [](void*, int, char**, char**) { return 1; };
  EXPECT_EQ(exec("SELECT 1", stop, nullptr, &error), SQLITE_ABORT);
  database().free(error);
  EXPECT_EQ(exec(nullptr), SQLITE_MISUSE);
}

TEST_F(DatabaseTest, what_a_call_leaves_open_is_put_in_order_behind_it) {
  sqlite3_stmt* statement = nullptr;
  {
    const Inside inside(version_);
    EXPECT_EQ(exec("INSERT INTO t (text) VALUES ('a'), ('b'); BEGIN; DELETE FROM t"), SQLITE_OK);
    ASSERT_EQ(database().prepare("SELECT id FROM t", &statement), SQLITE_OK);
    EXPECT_EQ(value_of("SELECT count(*) FROM t"), "0");
  }
  {
    const Inside inside(version_);
    EXPECT_EQ(value_of("SELECT count(*) FROM t"), "2") << "rolled back";
    EXPECT_EQ(database().step(statement), SQLITE_ROW) << "the statement itself stays";
  }
  // Another thread could not write while it stood in the middle of its rows.
  std::thread([&] {
    const Inside inside(version_);
    EXPECT_EQ(exec("DELETE FROM t"), SQLITE_OK);
  }).join();
  const Inside inside(version_);
  EXPECT_EQ(database().step(statement), SQLITE_DONE);
}

TEST_F(DatabaseTest, a_statement_outlives_its_thread_and_goes_with_its_version) {
  sqlite3_stmt* statement = nullptr;
  auto user = deploy("user");
  std::thread([&] {
    const Inside inside(user);
    ASSERT_EQ(database().prepare("INSERT INTO t (text) VALUES ('x')", &statement), SQLITE_OK);
  }).join();
  {
    const Inside inside(user);
    EXPECT_EQ(database().step(statement), SQLITE_DONE);
    EXPECT_EQ(database().changes(), 1) << "of this thread's last step";
    EXPECT_EQ(database().last_insert_rowid(), 1);
  }
  EXPECT_TRUE(primitives_->database->knows(statement));
  user.reset();
  runtime_->registry().remove("user");
  EXPECT_TRUE(runtime_->retirer().wait_until_done(std::chrono::seconds(30)));
  EXPECT_FALSE(primitives_->database->knows(statement));
  const Inside inside(version_);
  EXPECT_EQ(database().step(statement), SQLITE_MISUSE);
}

TEST_F(DatabaseTest, functions_of_modules_do_not_stay_with_the_connection) {
  const Inside inside(version_);
  using Function = void (*)(sqlite3_context*, int, sqlite3_value**);
  auto* const create =
      host<int(sqlite3*, const char*, int, int, void*, Function, Function, void (*)(sqlite3_context*))>(
          "sqlite3_create_function");
  const Function nothing = [](sqlite3_context*, int, sqlite3_value**) {};
  EXPECT_EQ(create(database().db, "mine", 0, SQLITE_UTF8, nullptr, nothing, nullptr, nullptr), SQLITE_MISUSE);
  sqlite3* own = nullptr;
  ASSERT_EQ(sqlite3_open(":memory:", &own), SQLITE_OK);
  EXPECT_EQ(create(own, "mine", 0, SQLITE_UTF8, nullptr, nothing, nullptr, nullptr), SQLITE_OK);
  EXPECT_EQ(host<int(sqlite3*)>("sqlite3_close")(own), SQLITE_OK);
}

TEST_F(DatabaseTest, a_statement_leads_to_what_stands_for_its_connection) {
  const Inside inside(version_);
  sqlite3_stmt* first = nullptr;
  sqlite3_stmt* second = nullptr;
  ASSERT_EQ(database().prepare("SELECT 1", -1, &first, nullptr), SQLITE_OK);
  ASSERT_EQ(database().prepare("SELECT 2", -1, &second, nullptr), SQLITE_OK);
  sqlite3* const connection = host<sqlite3*(sqlite3_stmt*)>("sqlite3_db_handle")(second);
  EXPECT_EQ(connection, database().db);
  auto* const next = host<sqlite3_stmt*(sqlite3*, sqlite3_stmt*)>("sqlite3_next_stmt");
  EXPECT_EQ(next(connection, nullptr), nullptr);
  EXPECT_EQ(next(connection, second), nullptr);
  for (const char* const name :
       {"sqlite3_trace", "sqlite3_profile", "sqlite3_preupdate_hook", "sqlite3_commit_hook", "sqlite3_update_hook"}) {
    EXPECT_EQ(host<void*(sqlite3*, void (*)(), void*)>(name)(connection, [] {}, nullptr), nullptr) << name;
  }
  for (const char* const name : {"sqlite3_unlock_notify", "sqlite3_busy_handler", "sqlite3_set_authorizer"}) {
    EXPECT_EQ(host<int(sqlite3*, void (*)(), void*)>(name)(connection, [] {}, nullptr), SQLITE_MISUSE) << name;
  }
  EXPECT_EQ(host<sqlite3_mutex*(sqlite3*)>("sqlite3_db_mutex")(connection), nullptr);
  EXPECT_EQ((host<int(int, ...)>("sqlite3_test_control")(SQLITE_TESTCTRL_FAULT_INSTALL, nullptr)), SQLITE_MISUSE);
  EXPECT_EQ(host<int(sqlite3*)>("sqlite3_total_changes64")(connection), 0);
  EXPECT_EQ(value_of("SELECT 3"), "3");
}

TEST_F(DatabaseTest, what_would_keep_others_out_is_refused_and_a_backup_reads) {
  const Inside inside(version_);
  EXPECT_EQ(exec("INSERT INTO t VALUES (1, 'kept')"), SQLITE_OK);
  auto* blob = reinterpret_cast<sqlite3_blob*>(1);
  using OpenBlob = int(sqlite3*, const char*, const char*, const char*, sqlite3_int64, int, sqlite3_blob**);
  EXPECT_EQ(host<OpenBlob>("sqlite3_blob_open")(database().db, "main", "t", "text", 1, 1, &blob), SQLITE_MISUSE);
  EXPECT_EQ(blob, nullptr);
  sqlite3* own = nullptr;
  ASSERT_EQ(sqlite3_open(":memory:", &own), SQLITE_OK);
  auto* const begin = host<sqlite3_backup*(sqlite3*, const char*, sqlite3*, const char*)>("sqlite3_backup_init");
  EXPECT_EQ(begin(database().db, "main", own, "main"), nullptr);
  sqlite3_backup* const backup = begin(own, "main", database().db, "main");
  ASSERT_NE(backup, nullptr);
  EXPECT_EQ(sqlite3_backup_step(backup, -1), SQLITE_DONE);
  EXPECT_EQ(sqlite3_backup_finish(backup), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(own, "UPDATE t SET text = 'changed' WHERE text = 'kept'", nullptr, nullptr, nullptr),
            SQLITE_OK);
  EXPECT_EQ(sqlite3_changes(own), 1);
  EXPECT_EQ(sqlite3_close(own), SQLITE_OK);
  EXPECT_EQ(value_of("SELECT text FROM t"), "kept");
}

TEST_F(DatabaseTest, sql_in_utf_16_is_the_threads_too) {
  const Inside inside(version_);
  for (const char* const name : {"sqlite3_prepare16", "sqlite3_prepare16_v2"}) {
    sqlite3_stmt* statement = nullptr;
    const void* rest = nullptr;
    const std::u16string sql = u"INSERT INTO t (text) VALUES ('\u00e9'); SELECT";
    auto* const prepare = host<int(sqlite3*, const void*, int, sqlite3_stmt**, const void**)>(name);
    ASSERT_EQ(prepare(database().db, sql.c_str(), -1, &statement, &rest), SQLITE_OK);
    EXPECT_EQ(rest, sql.c_str() + sql.find(u" SELECT"));
    EXPECT_TRUE(primitives_->database->knows(statement));
    EXPECT_EQ(database().step(statement), SQLITE_DONE);
  }
  EXPECT_EQ(value_of("SELECT group_concat(text) FROM t"), "\u00e9,\u00e9");
}

/// What changes something that would stay with the connection, and what shows it, with its answer on a new one.
struct Setting {
  const char* change;
  const char* shown_by;
  const char* otherwise;
};
constexpr Setting settings[] = {
    {"PRAGMA query_only = 1", "PRAGMA query_only", "0"},
    {"pragma Foreign_Keys = ON", "PRAGMA foreign_keys", "0"},
    {"PRAGMA main.synchronous(0)", "PRAGMA synchronous", "1"},
    {"PRAGMA case_sensitive_like = 1", "SELECT 'a' LIKE 'A'", "1"},
    {"PRAGMA journal_mode = OFF", "PRAGMA journal_mode", "memory"},
    {"PRAGMA cache_size = 1", "PRAGMA cache_size", "-1024"},
    {"ATTACH ':memory:' AS other", "SELECT count(*) FROM pragma_database_list WHERE name = 'other'", "0"},
    {"CREATE TEMP TABLE t AS SELECT 7 AS id, 'other' AS text", "SELECT max(id) FROM t", "1"},
    {"CREATE TABLE temp.t (id INT)", "SELECT count(*) FROM temp.sqlite_schema", "0"},
    {"CREATE VIEW temp.\"a \"\" view\" AS SELECT 1", "SELECT count(*) FROM temp.sqlite_schema", "0"},
    {"CREATE VIRTUAL TABLE temp.words USING fts5(word)", "SELECT count(*) FROM temp.sqlite_schema", "0"},
};

TEST_F(DatabaseTest, what_a_call_sets_of_its_connection_ends_with_it) {
  sqlite3_stmt* insert = nullptr;
  // Without and with a statement of the connection's that is another module's.
  for (const bool is_kept : {false, true}) {
    if (is_kept) {
      const Inside inside(version_);
      ASSERT_EQ(database().prepare("INSERT INTO main.t (text) VALUES ('again')", -1, &insert, nullptr), SQLITE_OK);
    } else {
      const Inside inside(version_);
      ASSERT_EQ(exec("INSERT INTO t VALUES (1, 'one')"), SQLITE_OK);
    }
    for (const auto& [change, shown_by, otherwise] : settings) {
      {
        const Inside inside(version_);
        EXPECT_EQ(value_of(shown_by), otherwise) << change << is_kept;
        EXPECT_EQ(exec(change), SQLITE_OK) << change;
        EXPECT_NE(value_of(shown_by), otherwise) << change << is_kept;
      }
      const Inside inside(version_);
      EXPECT_EQ(value_of(shown_by), otherwise) << change << is_kept;
      if (!is_kept) continue;
      EXPECT_EQ(database().step(insert), SQLITE_DONE) << change;
      EXPECT_EQ(database().reset(insert), SQLITE_OK);
      EXPECT_EQ(exec("DELETE FROM t WHERE id > 1"), SQLITE_OK);
    }
  }
  auto* const limit = host<int(sqlite3*, int, int)>("sqlite3_limit");
  for (int round = 0; round < 2; ++round) {
    const Inside inside(version_);
    EXPECT_GT(limit(database().db, SQLITE_LIMIT_SQL_LENGTH, 5), 5);
    EXPECT_EQ(limit(database().db, SQLITE_LIMIT_SQL_LENGTH, -1), 5);
    EXPECT_EQ(exec("SELECT 12345"), SQLITE_TOOBIG);
  }
}

TEST_F(DatabaseTest, a_prepared_setting_ends_with_the_call_that_steps_it) {
  sqlite3_stmt* attach = nullptr;
  const char* const attached = "SELECT count(*) FROM pragma_database_list WHERE name = 'other'";
  {
    const Inside inside(version_);
    ASSERT_EQ(database().prepare("ATTACH ':memory:' AS other", -1, &attach, nullptr), SQLITE_OK);
  }
  for (int round = 0; round < 2; ++round) {
    const Inside inside(version_);
    EXPECT_EQ(value_of(attached), "0");
    EXPECT_EQ(database().step(attach), SQLITE_DONE);
    EXPECT_EQ(value_of(attached), "1");
  }
  std::thread([&] {
    const Inside inside(version_);
    EXPECT_EQ(database().step(attach), SQLITE_DONE) << "on the connection that it was prepared with";
  }).join();
  const Inside inside(version_);
  EXPECT_EQ(value_of(attached), "0");
}

TEST_F(DatabaseTest, what_is_the_servers_to_set_stays_and_what_is_the_files_keeps_the_connection) {
  const Inside inside(version_);
  EXPECT_EQ(exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA busy_timeout = 1; CREATE TABLE u (x)"), SQLITE_OK);
  std::thread([&] {
    const Inside other(version_);
    EXPECT_EQ(exec("INSERT INTO u VALUES (1)"), SQLITE_OK) << "nobody is kept out";
  }).join();
  char* error = nullptr;
  EXPECT_EQ(exec("SELECT fts3_tokenizer('simple')", nullptr, nullptr, &error), SQLITE_ERROR);
  EXPECT_STREQ(error, "not authorized to use function: fts3_tokenizer");
  database().free(error);
  EXPECT_EQ(value_of("PRAGMA locking_mode"), "normal");
  EXPECT_EQ(exec("PRAGMA table_info(t); PRAGMA user_version = 3; SELECT * FROM pragma_table_info('t')"), SQLITE_OK);
  EXPECT_FALSE(*DatabaseSession::of(*primitives_->database)->changed());
}

TEST_F(DatabaseTest, eight_threads_with_transactions_lose_no_row) {
  constexpr int threads = 8, rounds = 50;
  std::vector<std::thread> writers;
  for (int t = 0; t < threads; ++t) {
    writers.emplace_back([&] {
      const Inside inside(version_);
      for (int i = 0; i < rounds; ++i) {
        EXPECT_EQ(exec("BEGIN IMMEDIATE; INSERT INTO t (text) VALUES ('x')"), SQLITE_OK);
        EXPECT_EQ(exec(i % 5 == 0 ? "ROLLBACK" : "INSERT INTO t (text) VALUES ('y'); COMMIT"), SQLITE_OK);
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  const Inside inside(version_);
  EXPECT_EQ(value_of("SELECT count(*) FROM t"), std::to_string(threads * rounds * 4 / 5 * 2));
}

TEST(DatabaseFileTest, is_made_and_kept_and_a_bad_one_is_a_sentence) {
  const TemporaryDirectory directory;
  const std::string file = directory.path() + "/modules.db";
  const auto runtime = *Runtime::create();
  for (const char* const rows : {"1", "2"}) {
    const auto primitives = *Primitives::create(*runtime, {.database_file = file});
    const auto version = make_version(1, "a", {});
    const Inside inside(version);
    EXPECT_EQ(exec("CREATE TABLE IF NOT EXISTS t (x); INSERT INTO t VALUES (1)"), SQLITE_OK);
    EXPECT_EQ(value_of("SELECT count(*) FROM t"), rows);
    EXPECT_EQ(value_of("PRAGMA journal_mode"), "wal");
  }
  const auto missing = Database::open(directory.path() + "/missing/modules.db");
  ASSERT_FALSE(missing.has_value());
  EXPECT_NE(missing.error().message.find("/missing/modules.db cannot be opened: unable to open"), std::string::npos)
      << missing.error().message;
}

}  // namespace
}  // namespace cweb::runtime
