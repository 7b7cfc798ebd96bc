#include "runtime/host_symbols.h"

#include <jansson.h>
#include <obstack.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <time.h>

#include <vector>

#include "runtime/host_functions.h"
#include "runtime/library_heap.h"
#include "runtime/module_stop.h"

namespace cweb::runtime {
namespace {

/// jansson's allocator is the server's choice, for the whole process.
void ignore_alloc_functions(json_malloc_t, json_free_t) {}

/// The functions would be called for the objects of all modules. An index alone is harmless; -1 is the library's
/// failure.
int ex_index_without_functions(int kind, long number, void* pointer, CRYPTO_EX_new* made, CRYPTO_EX_dup* copied,
                               CRYPTO_EX_free* freed) {
  if (made != nullptr || copied != nullptr || freed != nullptr) return -1;
  return CRYPTO_get_ex_new_index(kind, number, pointer, nullptr, nullptr, nullptr);
}

/// Instead of libc's own, which ends the process.
[[noreturn]] void obstack_without_memory() {
  stop_module_call("no memory for an obstack");
}

std::vector<HostSymbol> all_symbols() {
  std::vector<HostSymbol> symbols;
  for (const auto part : {map_functions(),
                          memory_functions(),
                          stream_functions(),
                          open_stream_functions(),
                          output_functions(),
                          stream_output_functions(),
                          wide_output_functions(),
                          process_functions(),
                          system_call_functions(),
                          thread_functions(),
                          thread_variable_functions(),
                          thread_key_functions(),
                          locale_functions(),
                          environment_functions(),
                          websocket_functions(),
                          job_functions(),
                          cache_functions(),
                          scheduler_functions(),
                          database_functions(),
                          sqlite_functions(),
                          binding_functions(),
                          library_memory_functions(),
                          library_descriptor_functions(),
                          symbol_functions(),
                          crypto_functions()}) {
    symbols.insert(symbols.end(), part.begin(), part.end());
  }
  symbols.push_back(host_function("json_set_alloc_funcs", ignore_alloc_functions));
  symbols.push_back(host_function("CRYPTO_get_ex_new_index", ex_index_without_functions));
  return symbols;
}

}  // namespace

std::span<const HostSymbol> host_symbols() {
  static const std::vector<HostSymbol> symbols = all_symbols();
  return symbols;
}

void set_up_host_libraries() {
  // A deploy opens no file, so what these read they read now.
  tzset();
  OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, nullptr);
  EVP_MD_free(EVP_MD_fetch(nullptr, "SHA256", nullptr));
  unsigned char random_byte = 0;
  RAND_bytes(&random_byte, 1);
  set_up_sqlite_heap();
  obstack_alloc_failed_handler = obstack_without_memory;
  // Before the allocator is set: the table of the seed lives as long as the process.
  json_object_seed(0);
  json_set_alloc_funcs(module_malloc, module_free);
}

}  // namespace cweb::runtime
