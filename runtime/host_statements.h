// What the two ways to the modules' database have in common: the struct sqldb of cweb.h (host_database) and SQLite's
// own functions (host_sqlite). Statements that are not the database's are SQLite's affair alone.
#pragma once

#include <sqlite3.h>

#include <cstdint>

namespace cweb::runtime {

using RowCallback = int (*)(void*, int, char**, char**);
using Destructor = void (*)(void*);

// As SQLite's functions of these names, on the calling thread's connection of the modules' database.
int execute(const char* sql, RowCallback callback, void* argument, char** error);
int prepare(const char* sql, int bytes, unsigned flags, sqlite3_stmt** statement, const char** rest);

/// Is it a statement of the modules' database that is not finalized?
bool is_ours(const sqlite3_stmt* statement);

// As SQLite's, for any statement: one that is not ours is SQLite's own affair.
int step(sqlite3_stmt* statement);
int reset(sqlite3_stmt* statement);
int finalize(sqlite3_stmt* statement);
/// `bytes` below 0: up to the NUL.
int bind_text(sqlite3_stmt* statement, int index, const char* text, int64_t bytes, Destructor destructor);
int bind_blob(sqlite3_stmt* statement, int index, const void* blob, int64_t bytes, Destructor destructor);

// Of statements of the modules' database alone: of another one SQLITE_MISUSE, null and 0.
int bind_int(sqlite3_stmt* statement, int index, int value);
const unsigned char* column_text(sqlite3_stmt* statement, int column);
int column_int(sqlite3_stmt* statement, int column);
int column_count(sqlite3_stmt* statement);

}  // namespace cweb::runtime
