#include "runtime/host_objects.h"

#include <sys/mman.h>

#include <new>

#include "base/error.h"

namespace cweb::runtime {
namespace {

constexpr size_t page_bytes = 4096;
constexpr size_t object_bytes = (sizeof(HostObjects) + page_bytes - 1) / page_bytes * page_bytes;

void seal(HostObjects* objects) {
  CWEB_ASSERT(mprotect(objects, object_bytes, PROT_READ) == 0);
}

HostObjects* make() {
  void* const pages = mmap(nullptr, object_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CWEB_ASSERT(pages != MAP_FAILED);
  auto* const objects = new (pages) HostObjects{};
  objects->cache = &objects->cache_object;
  objects->scheduler = &objects->scheduler_object;
  objects->database = &objects->database_object;
  objects->symbols = &objects->symbols_object;
  objects->crypto = &objects->crypto_object;
  fill_in(objects->cache_object);
  fill_in(objects->scheduler_object);
  fill_in(objects->database_object);
  fill_in(objects->symbols_object);
  fill_in(objects->crypto_object, objects->crypto_ops);
  seal(objects);
  return objects;
}

HostObjects* the_objects() {
  static HostObjects* const objects = make();
  return objects;
}

}  // namespace

const HostObjects& host_objects() {
  return *the_objects();
}

void show_database(sqlite3* handle) {
  HostObjects* const objects = the_objects();
  CWEB_ASSERT(mprotect(objects, object_bytes, PROT_READ | PROT_WRITE) == 0);
  objects->database_object.db = handle;
  seal(objects);
}

}  // namespace cweb::runtime
