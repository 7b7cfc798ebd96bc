// SQLite's functions that bind what a module gives to a statement. For a statement of the modules' database it is
// copied while nothing is held, and the module's destructor is called at once: SQLite would read it, and call it, in
// the middle of a step, or when the version is gone.
#include <sqlite3.h>

#include <cstring>
#include <limits>

#include "runtime/host_functions.h"
#include "runtime/host_memory_check.h"
#include "runtime/host_statements.h"

namespace cweb::runtime {
namespace {

/// No text or blob of SQLite's is longer: it says so without looking at it.
constexpr int64_t longest = std::numeric_limits<int>::max();

/// The number of its bytes, of which each page can be read.
int64_t readable_bytes(const void* value, int64_t bytes, unsigned char encoding) {
  if (value == nullptr) return 0;
  if (bytes < 0) {
    return static_cast<int64_t>(encoding == SQLITE_UTF8 ? read_through(static_cast<const char*>(value))
                                                        : read_through_wide(value));
  }
  if (bytes <= longest) read_through(value, static_cast<size_t>(bytes));
  return bytes;
}

/// As far as the module can tell, SQLite is done with it.
void destroy(void* value, Destructor destructor) {
  if (value != nullptr && destructor != SQLITE_STATIC && destructor != SQLITE_TRANSIENT) destructor(value);
}

int bind_encoded(sqlite3_stmt* statement, int index, const void* text, int64_t bytes, Destructor destructor,
                 unsigned char encoding) {
  const auto readable = static_cast<uint64_t>(readable_bytes(text, bytes, encoding));
  const int result = in_section(
      SQLITE_NOMEM, [&] { return primitives()->database->bind_text(statement, index, text, readable, encoding); });
  destroy(const_cast<void*>(text), destructor);
  return result;
}

int host_bind_text(sqlite3_stmt* statement, int index, const char* text, int bytes, Destructor destructor) {
  return bind_text(statement, index, text, bytes, destructor);
}

int host_bind_text16(sqlite3_stmt* statement, int index, const void* text, int bytes, Destructor destructor) {
  if (!is_ours(statement)) return sqlite3_bind_text16(statement, index, text, bytes, destructor);
  return bind_encoded(statement, index, text, bytes, destructor, SQLITE_UTF16);
}

int host_bind_text64(sqlite3_stmt* statement, int index, const char* text, sqlite3_uint64 bytes, Destructor destructor,
                     unsigned char encoding) {
  if (!is_ours(statement)) return sqlite3_bind_text64(statement, index, text, bytes, destructor, encoding);
  if (encoding < SQLITE_UTF8 || encoding > SQLITE_UTF16) return SQLITE_MISUSE;
  return bind_encoded(statement, index, text, static_cast<int64_t>(bytes), destructor, encoding);
}

int host_bind_blob(sqlite3_stmt* statement, int index, const void* blob, int bytes, Destructor destructor) {
  return bind_blob(statement, index, blob, bytes, destructor);
}

int host_bind_blob64(sqlite3_stmt* statement, int index, const void* blob, sqlite3_uint64 bytes,
                     Destructor destructor) {
  if (!is_ours(statement)) return sqlite3_bind_blob64(statement, index, blob, bytes, destructor);
  return bind_blob(statement, index, blob, static_cast<int64_t>(bytes), destructor);
}

int host_bind_value(sqlite3_stmt* statement, int index, const sqlite3_value* value) {
  if (!is_ours(statement)) return sqlite3_bind_value(statement, index, value);
  if (value == nullptr) return SQLITE_MISUSE;
  sqlite3_value* const copy = sqlite3_value_dup(value);
  if (copy == nullptr) return SQLITE_NOMEM;
  const int result = OnStatement<sqlite3_bind_value>::ours(SQLITE_MISUSE, statement, index, copy);
  sqlite3_value_free(copy);
  return result;
}

/// A pointer cannot be copied, and only functions of SQLite's own could be given it: they would write to where it
/// leads.
int host_bind_pointer(sqlite3_stmt* statement, int index, void* pointer, const char* type, Destructor destructor) {
  if (!is_ours(statement)) return sqlite3_bind_pointer(statement, index, pointer, type, destructor);
  destroy(pointer, destructor);
  return SQLITE_MISUSE;
}

/// It would take over what has been bound to a statement of the module's own, with its destructors.
int host_transfer_bindings(sqlite3_stmt* from, sqlite3_stmt* to) {
  return is_ours(from) || is_ours(to) ? SQLITE_MISUSE : sqlite3_transfer_bindings(from, to);
}

}  // namespace

int bind_text(sqlite3_stmt* statement, int index, const char* text, int64_t bytes, Destructor destructor) {
  if (!is_ours(statement)) {
    return sqlite3_bind_text(statement, index, text, static_cast<int>(bytes), destructor);
  }
  return bind_encoded(statement, index, text, bytes, destructor, SQLITE_UTF8);
}

int bind_blob(sqlite3_stmt* statement, int index, const void* blob, int64_t bytes, Destructor destructor) {
  if (!is_ours(statement)) {
    return sqlite3_bind_blob(statement, index, blob, static_cast<int>(bytes), destructor);
  }
  if (bytes < 0) return SQLITE_MISUSE;
  if (blob != nullptr && bytes <= longest) read_through(blob, static_cast<size_t>(bytes));
  const int result = in_section(SQLITE_NOMEM, [&] {
    return primitives()->database->bind_blob(statement, index, blob, static_cast<uint64_t>(bytes));
  });
  destroy(const_cast<void*>(blob), destructor);
  return result;
}

std::span<const HostSymbol> binding_functions() {
  static const HostSymbol functions[] = {
      host_function("sqlite3_bind_text", host_bind_text),
      host_function("sqlite3_bind_text16", host_bind_text16),
      host_function("sqlite3_bind_text64", host_bind_text64),
      host_function("sqlite3_bind_blob", host_bind_blob),
      host_function("sqlite3_bind_blob64", host_bind_blob64),
      host_function("sqlite3_bind_value", host_bind_value),
      host_function("sqlite3_bind_pointer", host_bind_pointer),
      host_function("sqlite3_transfer_bindings", host_transfer_bindings),
  };
  return functions;
}

}  // namespace cweb::runtime
