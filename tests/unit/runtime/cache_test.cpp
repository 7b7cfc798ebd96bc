// The cache: whose pointers it keeps for how long, and that the bytes stay within their bound.
#include "runtime/cache.h"

#include <gtest/gtest.h>

#include <cstring>

#include "runtime/heap.h"
#include "unit/fake_image.h"

namespace cweb::runtime {
namespace {

constexpr size_t bound = 64 << 10;

class CacheTest : public testing::Test {
 protected:
  /// A version that has `variable` in its image.
  static std::shared_ptr<ModuleVersion> version_with(uint64_t id, const void* variable, const char* name = "test") {
    auto image = std::make_unique<FakeImage>();
    image->functions.insert(variable);
    auto version = std::make_shared<ModuleVersion>(id, std::move(image));
    version->config.name = name;
    return version;
  }

  Cache cache_{bound};
  int first_ = 0, second_ = 0;
};

using Existing = Cache::Existing;

TEST_F(CacheTest, the_first_pointer_of_a_name_stays_unless_it_is_to_be_replaced) {
  const auto version = version_with(1, nullptr);
  EXPECT_EQ(cache_.get("name"), nullptr);
  EXPECT_TRUE(cache_.set(*version, "name", &first_, Existing::keep));
  EXPECT_TRUE(cache_.set(*version, "name", &second_, Existing::keep));
  EXPECT_EQ(cache_.get("name"), &first_);
  EXPECT_TRUE(cache_.set(*version, "name", &second_, Existing::replace));
  EXPECT_EQ(cache_.get("name"), &second_);
  EXPECT_TRUE(cache_.remove("name"));
  EXPECT_FALSE(cache_.remove("name"));
  EXPECT_EQ(cache_.get("name"), nullptr);
}

TEST_F(CacheTest, a_pointer_into_an_image_goes_with_it_and_no_other_does) {
  const auto old = version_with(1, &first_);
  EXPECT_TRUE(cache_.set(*old, "image", &first_, Existing::keep));
  EXPECT_TRUE(cache_.set(*old, "elsewhere", &second_, Existing::keep));
  cache_.forget(*version_with(2, nullptr));
  EXPECT_EQ(cache_.get("image"), &first_);
  cache_.forget(*old);
  EXPECT_EQ(cache_.get("image"), nullptr);
  EXPECT_EQ(cache_.get("elsewhere"), &second_);
}

TEST_F(CacheTest, a_newer_version_of_the_module_takes_the_name_of_an_older_ones_variable) {
  const auto old = version_with(1, &first_), next = version_with(2, &second_);
  EXPECT_TRUE(cache_.set(*old, "name", &first_, Existing::keep));
  const auto other = version_with(3, &second_, "other");
  EXPECT_TRUE(cache_.set(*other, "name", &second_, Existing::keep));
  EXPECT_EQ(cache_.get("name"), &first_) << "another module does not";
  EXPECT_TRUE(cache_.set(*next, "name", &second_, Existing::keep));
  EXPECT_EQ(cache_.get("name"), &second_);
  cache_.forget(*old);
  EXPECT_EQ(cache_.get("name"), &second_);
}

TEST_F(CacheTest, a_block_keeps_its_heap_until_its_name_goes) {
  auto version = version_with(1, nullptr);
  auto* const block = static_cast<char*>(version->heap().allocate(16));
  std::strcpy(block, "kept");
  const std::weak_ptr<ModuleHeap> heap = version->heap_owner();
  EXPECT_TRUE(cache_.set(*version, "block", block, Existing::keep));
  version.reset();
  ASSERT_FALSE(heap.expired());
  EXPECT_STREQ(static_cast<char*>(cache_.get("block")), "kept");
  // Whoever sets it under another name keeps the heap that it lies in, not his own.
  auto other = version_with(2, nullptr, "other");
  EXPECT_TRUE(cache_.set(*other, "again", cache_.get("block"), Existing::keep));
  EXPECT_TRUE(cache_.remove("block"));
  other.reset();
  ASSERT_FALSE(heap.expired());
  EXPECT_STREQ(static_cast<char*>(cache_.get("again")), "kept");
  EXPECT_TRUE(cache_.remove("again"));
  EXPECT_TRUE(heap.expired());
}

TEST_F(CacheTest, names_of_pointers_are_bounded) {
  const auto version = version_with(1, nullptr);
  int kept = 0;
  while (cache_.set(*version, "name" + std::to_string(kept), &first_, Existing::keep)) ASSERT_LT(++kept, 10'000);
  EXPECT_GT(kept, 100);
  EXPECT_EQ(cache_.get("name0"), &first_) << "none is pushed out";
  EXPECT_TRUE(cache_.set(*version, "name0", &second_, Existing::replace)) << "a known name needs no room";
  EXPECT_TRUE(cache_.remove("name0"));
  EXPECT_TRUE(cache_.set(*version, "name0", &first_, Existing::keep));
}

TEST_F(CacheTest, bytes_are_copies) {
  std::string bytes("a\0b", 3);
  EXPECT_TRUE(cache_.put("name", bytes, 0));
  bytes = "changed";
  EXPECT_EQ(*cache_.fetch("name"), std::string("a\0b", 3));
  EXPECT_TRUE(cache_.put("name", "", 0));
  EXPECT_EQ(*cache_.fetch("name"), "");
  EXPECT_EQ(cache_.fetch("other"), nullptr);
  EXPECT_EQ(cache_.get("name"), nullptr) << "pointers are apart";
}

TEST_F(CacheTest, what_was_used_least_recently_goes_first) {
  const std::string large(bound / 4, 'x');
  for (const char* name : {"a", "b", "c"}) EXPECT_TRUE(cache_.put(name, large, 0));
  EXPECT_NE(cache_.fetch("a"), nullptr);
  EXPECT_TRUE(cache_.put("d", large, 0));
  EXPECT_EQ(cache_.fetch("b"), nullptr);
  for (const char* name : {"a", "c", "d"}) EXPECT_NE(cache_.fetch(name), nullptr) << name;
  EXPECT_LE(cache_.bytes(), bound);
  EXPECT_FALSE(cache_.put("too long", std::string(bound, 'x'), 0));
  EXPECT_NE(cache_.fetch("a"), nullptr) << "what cannot be kept pushes nothing out";
}

TEST_F(CacheTest, many_small_entries_stay_within_the_bound_and_give_their_room_back) {
  for (int i = 0; i < 10'000; ++i) EXPECT_TRUE(cache_.put("name" + std::to_string(i), "x", i % 2 == 0 ? 0 : 1000));
  EXPECT_LE(cache_.bytes(), bound);
  for (int i = 0; i < 10'000; ++i) cache_.expire("name" + std::to_string(i), 0);
  EXPECT_EQ(cache_.bytes(), 0U);
}

TEST_F(CacheTest, bytes_end_with_their_time) {
  EXPECT_TRUE(cache_.put("name", "x", 1));
  while (cache_.fetch("name") != nullptr) {
  }
  EXPECT_EQ(cache_.bytes(), 0U);
  EXPECT_FALSE(cache_.expire("name", 1000));
  EXPECT_TRUE(cache_.put("name", "x", 1));
  EXPECT_TRUE(cache_.put("name", "y", 0)) << "put anew, they stay for good";
  EXPECT_TRUE(cache_.put("long", "x", INT64_MAX));
  EXPECT_NE(cache_.fetch("long"), nullptr);
  EXPECT_TRUE(cache_.expire("name", 1));
  while (cache_.fetch("name") != nullptr) {
  }
  EXPECT_TRUE(cache_.expire("long", 0));
  EXPECT_EQ(cache_.fetch("long"), nullptr);
}

}  // namespace
}  // namespace cweb::runtime
