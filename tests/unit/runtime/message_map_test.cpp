#include "runtime/message_map.h"

#include <gtest/gtest.h>

#include <cstring>
#include <new>

namespace cweb::runtime {
namespace {

char* text(const char* literal) {
  return const_cast<char*>(literal);
}

TEST(MessageMapTest, KeysMatchWhateverTheirCase) {
  MessageMap request(MessageMap::Values::pointers);
  request.add(text("Content-Type"), text("text/plain"));
  EXPECT_STREQ(static_cast<char*>(map_get(request.shown(), "content-type")), "text/plain");
  EXPECT_EQ(map_get(request.shown(), "content"), nullptr);
  EXPECT_EQ(map_size(request.shown()), 1U);
}

TEST(MessageMapTest, EntriesAreVisible) {
  MessageMap request(MessageMap::Values::pointers);
  request.add(text("a"), text("1"));
  request.add(text("b"), text("2"));
  const map* shown = request.shown();
  ASSERT_EQ(shown->size, 2U);
  EXPECT_STREQ(shown->entries[1].key, "b");
  EXPECT_STREQ(static_cast<char*>(shown->entries[1].value), "2");
}

TEST(MessageMapTest, ResponseCopiesWhatItIsGiven) {
  MessageMap response(MessageMap::Values::headers);
  char value[] = "before";
  EXPECT_EQ(map_insert(response.shown(), "X-Test", value), 0);
  std::snprintf(value, sizeof value, "after");
  EXPECT_STREQ(static_cast<char*>(map_get(response.shown(), "x-test")), "before");
}

TEST(MessageMapTest, AStoreOfARequestCopiesWhatItTakesOver) {
  MessageMap request(MessageMap::Values::pointers);
  char value[] = "before";
  EXPECT_EQ(http_kv_insert(request.shown(), "key", value), 0);
  std::snprintf(value, sizeof value, "after");
  EXPECT_STREQ(http_kv_get(request.shown(), "KEY"), "before");
  EXPECT_EQ(http_kv_size(request.shown()), 1U);
  http_kv_destroy(request.shown(), 1);
  EXPECT_EQ(request.size(), 1U);
}

TEST(MessageMapTest, FirstValueOfAKeyStays) {
  MessageMap response(MessageMap::Values::headers);
  EXPECT_EQ(map_insert(response.shown(), "X-Test", text("1")), 0);
  EXPECT_EQ(map_insert(response.shown(), "x-test", text("2")), 0);
  EXPECT_STREQ(static_cast<char*>(map_get(response.shown(), "X-Test")), "1");
  EXPECT_EQ(response.size(), 1U);
}

TEST(MessageMapTest, SeveralCookiesAreSeveralHeaders) {
  MessageMap response(MessageMap::Values::headers);
  map_insert(response.shown(), "Set-Cookie", text("a=1"));
  map_insert(response.shown(), "set-cookie", text("b=2"));
  EXPECT_EQ(response.size(), 2U);
}

TEST(MessageMapTest, HeaderThatWouldSplitTheResponseIsRejected) {
  for (const auto& [name, value] : {std::pair{"X-Test", "a\r\nX-Other: b"},
                                    {"X-Test", "a\nb"},
                                    {"X Test", "a"},
                                    {"X-Test:", "a"},
                                    {"", "a"},
                                    {"X-T\r\nest", "a"}}) {
    MessageMap response(MessageMap::Values::headers);
    EXPECT_LT(map_insert(response.shown(), name, text(value)), 0) << name;
    EXPECT_TRUE(response.rejected()) << name;
    EXPECT_EQ(response.size(), 0U);
  }
}

TEST(MessageMapTest, ItsEntriesAndTextsAreBounded) {
  MessageMap response(MessageMap::Values::headers);
  const std::string large(300'000, 'x');
  for (const char* name : {"a", "b", "c"}) EXPECT_EQ(map_insert(response.shown(), name, text(large.c_str())), 0);
  EXPECT_EQ(map_insert(response.shown(), "d", text(large.c_str())), -MAP_FULL);
  EXPECT_EQ(map_insert(response.shown(), "d", text("small")), 0);
  response.clear();
  EXPECT_EQ(map_insert(response.shown(), "d", text(large.c_str())), 0) << "for the next request there is room again";
  response.clear();
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(map_insert(response.shown(), "Set-Cookie", text("a=1")), 0);
  EXPECT_EQ(map_insert(response.shown(), "Set-Cookie", text("a=1")), -MAP_FULL);
}

TEST(MessageMapTest, ItGrowsAndShrinks) {
  MessageMap request(MessageMap::Values::pointers);
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(map_insert(request.shown(), ("key" + std::to_string(i)).c_str(), &request), 0);
  }
  EXPECT_EQ(map_size(request.shown()), 100U);
  EXPECT_EQ(map_remove(request.shown(), "KEY50"), 0);
  EXPECT_EQ(map_remove(request.shown(), "key50"), -MAP_KEY_NOT_FOUND);
  EXPECT_EQ(map_size(request.shown()), 99U);
  EXPECT_EQ(map_get(request.shown(), "key99"), &request);
}

TEST(MessageMapTest, WhatAModuleWritesIntoTheStructDoesNotReachTheServer) {
  MessageMap response(MessageMap::Values::headers);
  map* shown = response.shown();
  map_insert(shown, "a", text("1"));
  shown->size = 1'000'000;
  shown->entries = nullptr;
  EXPECT_EQ(map_size(shown), 1U);
  EXPECT_STREQ(static_cast<char*>(map_get(shown, "a")), "1");
}

TEST(ModuleMapTest, KeysMatchExactly) {
  map* own = map_create(2);
  int value = 0;
  EXPECT_EQ(map_insert(own, "Key", &value), 0);
  EXPECT_EQ(map_get(own, "key"), nullptr);
  EXPECT_EQ(map_get(own, "Key"), &value);
  map_destroy(own);
}

TEST(ModuleMapTest, SecondInsertKeepsTheFirstValue) {
  map* own = map_create(2);
  int first = 0, second = 0;
  EXPECT_EQ(map_insert(own, "k", &first), 0);
  EXPECT_EQ(map_insert(own, "k", &second), 0);
  EXPECT_EQ(map_get(own, "k"), &first);
  map_destroy(own);
}

TEST(ModuleMapTest, GrowsBeyondItsCapacityAndFindsAll) {
  map* own = map_create(1);
  int values[50];
  for (int i = 0; i < 50; ++i) ASSERT_EQ(map_insert(own, ("k" + std::to_string(i)).c_str(), &values[i]), 0);
  EXPECT_EQ(map_size(own), 50U);
  for (int i = 0; i < 50; i += 2) EXPECT_EQ(map_remove(own, ("k" + std::to_string(i)).c_str()), 0);
  EXPECT_EQ(map_remove(own, "k0"), -MAP_KEY_NOT_FOUND);
  for (int i = 1; i < 50; i += 2) EXPECT_EQ(map_get(own, ("k" + std::to_string(i)).c_str()), &values[i]);
  EXPECT_EQ(map_size(own), 25U);
  map_destroy(own);
}

TEST(ModuleMapTest, NullIsAnswered) {
  EXPECT_EQ(map_size(nullptr), 0U);
  EXPECT_EQ(map_get(nullptr, "k"), nullptr);
  EXPECT_LT(map_insert(nullptr, "k", nullptr), 0);
  EXPECT_LT(map_remove(nullptr, "k"), 0);
  map_destroy(nullptr);
}

TEST(MessageMapTest, AMapIsToldFromOtherMemoryByItsMark) {
  alignas(MessageMap) unsigned char memory[sizeof(MessageMap)] = {};
  const auto* const seen = reinterpret_cast<const MessageMap*>(memory);
  EXPECT_FALSE(MessageMap::is_one(seen));
  auto* const made = new (memory) MessageMap(MessageMap::Values::headers);
  EXPECT_TRUE(MessageMap::is_one(made));
  // A copy of its bytes elsewhere is none.
  alignas(MessageMap) unsigned char copy[sizeof(MessageMap)];
  std::memcpy(copy, memory, sizeof copy);
  EXPECT_FALSE(MessageMap::is_one(reinterpret_cast<const MessageMap*>(copy)));
  made->~MessageMap();
  EXPECT_FALSE(MessageMap::is_one(seen));
}

TEST(MessageMapTest, WhatAModuleWritesIntoTheEntriesItSeesIsNotWhatIsSent) {
  MessageMap response(MessageMap::Values::headers);
  EXPECT_EQ(map_insert(response.shown(), "X-Test", text("1")), 0);
  map* const shown = response.shown();
  shown->entries[0] = {nullptr, reinterpret_cast<void*>(0x10)};
  EXPECT_STREQ(static_cast<char*>(map_get(response.shown(), "x-test")), "1");
}

}  // namespace
}  // namespace cweb::runtime
