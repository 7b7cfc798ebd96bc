#include "mgnt/read_scope.h"

#include <gtest/gtest.h>

namespace cweb::mgnt {
namespace {

constexpr const char* told[] = {"/mgnt",
                                "/mgnt/",
                                "/mgnt/metrics",
                                "/mgnt/faults",
                                "/mgnt/modules/counter",
                                "/mgnt/modules/counter/history",
                                "/mgnt/modules/x",
                                "/mgnt/modules/a%2Fb%20c"};

TEST(ReadScope, the_read_key_lists_sees_and_measures) {
  for (const char* path : told) {
    EXPECT_TRUE(is_open_to_readers("GET", path)) << path;
    EXPECT_TRUE(is_open_to_readers("HEAD", path)) << path;
  }
}

TEST(ReadScope, it_changes_nothing) {
  for (const char* path : told) {
    for (const char* method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "get", ""}) {
      EXPECT_FALSE(is_open_to_readers(method, path)) << method << " " << path;
    }
  }
}

TEST(ReadScope, it_shows_no_source_and_nothing_that_is_not_listed) {
  for (const char* path : {"/mgnt/modules/counter/source", "/mgnt/modules/", "/mgnt/modules", "/mgnt/modules//history",
                           "/mgnt/modules/a/b", "/mgnt/modules/a/history/source", "/mgnt/modules/a/restart",
                           "/mgnt/modules/a/rollback", "/mgnt/metrics/", "/mgnt/new", "/mgntx", "/", ""}) {
    EXPECT_FALSE(is_open_to_readers("GET", path)) << path;
  }
}

}  // namespace
}  // namespace cweb::mgnt
