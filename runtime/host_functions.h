// The parts that host_symbols() is put together from. Everything here is called by module code on a thread inside a
// call: functions that may end the call (module_stop.h) hold no object with a destructor and no lock while they do.
#pragma once

#include <sys/types.h>

#include <cstdarg>
#include <cstddef>
#include <cstdio>
#include <span>

#include "runtime/code_image.h"
#include "runtime/output_sink.h"

namespace cweb::runtime {

std::span<const HostSymbol> map_functions();              ///< host_map.cpp: map_create ... of cweb.h
std::span<const HostSymbol> memory_functions();           ///< host_memory.cpp: malloc ... realpath
std::span<const HostSymbol> stream_functions();           ///< host_streams.cpp: asprintf, getline, open_memstream ...
std::span<const HostSymbol> open_stream_functions();      ///< host_open_streams.cpp: fopen, fclose, opendir ...
std::span<const HostSymbol> output_functions();           ///< host_output.cpp: printf, puts, write, stdout ...
std::span<const HostSymbol> stream_output_functions();    ///< host_stream_output.cpp: fprintf, fputs, fwrite ...
std::span<const HostSymbol> wide_output_functions();      ///< host_wide_output.cpp: wprintf, fputws ...
std::span<const HostSymbol> process_functions();          ///< host_process.cpp: exit, signal, fork ...
std::span<const HostSymbol> system_call_functions();      ///< host_system_calls.cpp: kill, close, syscall ...
std::span<const HostSymbol> thread_functions();           ///< host_threads.cpp: pthread_create ...
std::span<const HostSymbol> thread_variable_functions();  ///< host_thread_variables.cpp: __emutls_get_address
std::span<const HostSymbol> thread_key_functions();       ///< host_thread_keys.cpp: pthread_key_create, tss_get ...
std::span<const HostSymbol> locale_functions();           ///< host_locale.cpp: setlocale, uselocale ...
std::span<const HostSymbol> environment_functions();      ///< host_environment.cpp: getenv, putenv, environ ...
std::span<const HostSymbol> websocket_functions();        ///< host_websockets.cpp: cweb_ws_send_binary ... of cweb.h
std::span<const HostSymbol> job_functions();              ///< host_jobs.cpp: jobs_create of cweb.h
std::span<const HostSymbol> cache_functions();            ///< host_cache.cpp: cache, container_set, cweb_cache_put ...
std::span<const HostSymbol> scheduler_functions();        ///< host_scheduler.cpp: scheduler, cweb_after_ms ...
std::span<const HostSymbol> database_functions();         ///< host_database.cpp: database
std::span<const HostSymbol> sqlite_functions();           ///< host_sqlite.cpp: sqlite3_exec ...
std::span<const HostSymbol> binding_functions();          ///< host_bindings.cpp: sqlite3_bind_text ...
std::span<const HostSymbol> library_memory_functions();   ///< host_library_memory.cpp: sqlite3_free, OPENSSL_free ...
std::span<const HostSymbol> library_descriptor_functions();  ///< host_library_descriptors.cpp: gzdopen, BIO_new_fd ...
std::span<const HostSymbol> symbol_functions();              ///< host_module_symbols.cpp: symbols
std::span<const HostSymbol> crypto_functions();              ///< host_crypto.cpp: crypto

// The module's malloc, for the host functions that return memory which the module frees. On a thread that is inside no
// version they are the process's own.
void* module_malloc(size_t size);
void* module_realloc(void* block, size_t size);
void module_free(void* block);

/// What the module has called: a sentence about a wrong address names it.
struct MemoryFunction {
  const char* name;
  const char* library = nullptr;  ///< whose it is: it takes no block that others have from the process
};
// For any block that a module may have, its own and those of libraries. The call ends when the address is none.
void free_block(void* block, MemoryFunction function);
void* realloc_block(void* block, size_t size, MemoryFunction function);
/// 0 for null.
size_t usable_size(const void* block, MemoryFunction function);

/// A standard stream, the server's or the module's, or one of a descriptor of the server's: it is not closed, however
/// it was made.
bool is_server_stream(const FILE* stream);

/// print_output for more than a line. The call may end in it, with its deadline.
void print_module_output(OutputStream stream, const char* bytes, size_t count);
/// What one write() of a module's takes at most.
inline constexpr size_t most_written_bytes = size_t{1} << 20;
// The module's printf, to either stream, and its write.
int module_vprint(OutputStream stream, const char* format, va_list arguments);
ssize_t module_write(int fd, const void* bytes, size_t count);

/// A row of a table of host functions.
template <class Function>
HostSymbol host_function(std::string_view name, Function* function) {
  return {name, reinterpret_cast<void*>(function)};
}

}  // namespace cweb::runtime
