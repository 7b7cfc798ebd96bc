// The maps of cweb.h. One that a module made lives in its heap, and is just what the struct says; one of a request or
// response is a MessageMap.
#include <cweb.h>

#include <cstdint>
#include <cstring>

#include "runtime/heap.h"
#include "runtime/host_functions.h"
#include "runtime/message_map.h"
#include "runtime/module_stop.h"

const char* http_methods[] = {"GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "HEAD"};

namespace cweb::runtime {
namespace {

template <class Type>
bool is_aligned(const void* address) {
  return reinterpret_cast<uintptr_t>(address) % alignof(Type) == 0;
}

/// Null for a map of the module's own.
MessageMap* message_map(const map* map) {
  const void* const host = is_aligned<struct map>(map) ? map->host : map;
  if (host == nullptr) return nullptr;
  auto* const shown = const_cast<MessageMap*>(static_cast<const MessageMap*>(host));
  if (is_aligned<MessageMap>(host) && MessageMap::is_one(shown)) return shown;
  stop_module_call("a map function was given something that is not a map");
}

map_entry* find(const map& map, const char* key) {
  for (size_t i = 0; i < map.size; ++i) {
    if (std::strcmp(map.entries[i].key, key) == 0) return &map.entries[i];
  }
  return nullptr;
}

bool grow(map& map) {
  const size_t capacity = map.capacity < 8 ? 16 : map.capacity * 2;
  auto* entries = static_cast<map_entry*>(module_realloc(map.entries, capacity * sizeof(map_entry)));
  if (entries == nullptr) return false;
  map.entries = entries;
  map.capacity = capacity;
  return true;
}

char* copy_key(const char* key) {
  const size_t bytes = std::strlen(key) + 1;
  void* copy = module_malloc(bytes);
  return copy == nullptr ? nullptr : static_cast<char*>(std::memcpy(copy, key, bytes));
}

}  // namespace
}  // namespace cweb::runtime

namespace host = cweb::runtime;

struct map* map_create(size_t capacity) {
  auto* made = static_cast<map*>(host::module_malloc(sizeof(map)));
  if (made == nullptr) return nullptr;
  *made = {.entries = nullptr, .size = 0, .capacity = 0, .host = nullptr};
  if (capacity == 0) return made;
  size_t bytes = 0;
  if (!__builtin_mul_overflow(capacity, sizeof(map_entry), &bytes)) {
    made->entries = static_cast<map_entry*>(host::module_malloc(bytes));
  }
  if (made->entries == nullptr) return host::module_free(made), nullptr;
  made->capacity = capacity;
  return made;
}

void map_destroy(struct map* map) {
  if (map == nullptr || host::message_map(map) != nullptr) return;
  for (size_t i = 0; i < map->size; ++i) host::module_free(map->entries[i].key);
  host::module_free(map->entries);
  host::module_free(map);
}

int map_insert(struct map* map, const char* key, void* value) {
  if (map == nullptr || key == nullptr || value == nullptr) return -MAP_ERR;
  if (host::MessageMap* shown = host::message_map(map)) return shown->insert(key, value);
  if (host::find(*map, key) != nullptr) return MAP_OK;
  if (map->size >= map->capacity && !host::grow(*map)) return -MAP_ERR;
  char* copy = host::copy_key(key);
  if (copy == nullptr) return -MAP_ERR;
  map->entries[map->size++] = {copy, value};
  return MAP_OK;
}

void* map_get(const struct map* map, const char* key) {
  if (map == nullptr || key == nullptr) return nullptr;
  if (const host::MessageMap* shown = host::message_map(map)) return shown->get(key);
  const map_entry* entry = host::find(*map, key);
  return entry == nullptr ? nullptr : entry->value;
}

int map_remove(struct map* map, const char* key) {
  if (map == nullptr || key == nullptr) return -MAP_ERR;
  if (host::MessageMap* shown = host::message_map(map)) return shown->remove(key);
  map_entry* entry = host::find(*map, key);
  if (entry == nullptr) return -MAP_KEY_NOT_FOUND;
  host::module_free(entry->key);
  map_entry* const end = map->entries + map->size;
  std::memmove(entry, entry + 1, static_cast<size_t>(end - entry - 1) * sizeof(map_entry));
  --map->size;
  return MAP_OK;
}

size_t map_size(const struct map* map) {
  if (map == nullptr) return 0;
  const host::MessageMap* shown = host::message_map(map);
  return shown != nullptr ? shown->size() : map->size;
}

http_kv_store_t* http_kv_create(size_t capacity) {
  return map_create(capacity);
}

void http_kv_destroy(http_kv_store_t* store, int free_values) {
  if (store == nullptr || host::message_map(store) != nullptr) return;
  for (size_t i = 0; free_values != 0 && i < store->size; ++i) host::release_block(store->entries[i].value);
  map_destroy(store);
}

int http_kv_insert(http_kv_store_t* store, const char* key, char* value) {
  if (store == nullptr || key == nullptr || value == nullptr) return -MAP_ERR;
  host::MessageMap* const shown = host::message_map(store);
  const int result = shown != nullptr ? shown->insert_text(key, value) : map_insert(store, key, value);
  // Not when the module has put in once more what is in there. Modules give texts that are no blocks, too.
  if (result == MAP_OK && map_get(store, key) != value) host::release_block(value);
  return result;
}

char* http_kv_get(const http_kv_store_t* store, const char* key) {
  return static_cast<char*>(map_get(store, key));
}

size_t http_kv_size(const http_kv_store_t* store) {
  return map_size(store);
}

namespace cweb::runtime {

std::span<const HostSymbol> map_functions() {
  static const HostSymbol functions[] = {
      host_function("map_create", map_create),         host_function("map_destroy", map_destroy),
      host_function("map_insert", map_insert),         host_function("map_get", map_get),
      host_function("map_remove", map_remove),         host_function("map_size", map_size),
      host_function("http_kv_create", http_kv_create), host_function("http_kv_destroy", http_kv_destroy),
      host_function("http_kv_insert", http_kv_insert), host_function("http_kv_get", http_kv_get),
      host_function("http_kv_size", http_kv_size),     {"http_methods", static_cast<void*>(http_methods)},
  };
  return functions;
}

}  // namespace cweb::runtime
