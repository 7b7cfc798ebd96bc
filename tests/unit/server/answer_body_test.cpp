#include "server/answer_body.h"

#include <cweb.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>

#include "runtime/heap.h"
#include "unit/fake_image.h"

namespace cweb::server {
namespace {

class AnswerBodyTest : public testing::Test {
 protected:
  std::expected<AnswerBody, std::string> find(const void* body, int length = 0) {
    return find_answer_body(*version_, static_cast<char*>(const_cast<void*>(body)), length, buffer_);
  }
  const std::shared_ptr<runtime::ModuleVersion> version_ = runtime::make_version(1, "test", {});
  char buffer_[HTTP_RESPONSE_SIZE] = {};
};

TEST_F(AnswerBodyTest, TextInTheBufferEndsAtItsNul) {
  std::strcpy(buffer_, "hello");
  EXPECT_EQ(find(buffer_)->bytes, "hello");
  EXPECT_EQ(find(buffer_ + 1)->bytes, "ello");
}

TEST_F(AnswerBodyTest, ContentLengthCountsNulsToo) {
  std::memcpy(buffer_, "a\0b", 3);
  EXPECT_EQ(find(buffer_, 3)->bytes, std::string_view("a\0b", 3));
}

TEST_F(AnswerBodyTest, AFullBufferWithoutNulIsAllOfIt) {
  std::memset(buffer_, 'x', sizeof buffer_);
  EXPECT_EQ(find(buffer_)->bytes.size(), sizeof buffer_);
}

TEST_F(AnswerBodyTest, LengthBeyondTheBufferIsRefused) {
  EXPECT_FALSE(find(buffer_, HTTP_RESPONSE_SIZE + 1));
  EXPECT_FALSE(find(buffer_ + 10, HTTP_RESPONSE_SIZE));
  EXPECT_FALSE(find(buffer_, -1));
}

TEST_F(AnswerBodyTest, NullIsAnEmptyBody) {
  EXPECT_EQ(find(nullptr)->bytes, "");
  EXPECT_FALSE(find(nullptr, 5));
}

TEST_F(AnswerBodyTest, ABlockOfTheHeapIsToBeFreedAndBoundsItsLength) {
  auto* block = static_cast<char*>(version_->heap().allocate(100));
  std::strcpy(block, "block");
  const auto body = find(block);
  ASSERT_TRUE(body);
  EXPECT_EQ(body->bytes, "block");
  EXPECT_EQ(body->block_to_free, block);
  EXPECT_FALSE(find(block, 1 << 20));
}

TEST_F(AnswerBodyTest, LiteralsAndStaticsAreCopied) {
  EXPECT_EQ(find("literal")->bytes, "literal");
  EXPECT_EQ(find("li\0teral", 8)->bytes, std::string_view("li\0teral", 8));
  static const std::string large(20'000, 'x');
  EXPECT_EQ(find(large.c_str())->bytes, large);
}

TEST_F(AnswerBodyTest, MemoryOfTheImageIsReadInPlaceUpToItsEnd) {
  static const char text[] = "in the image";
  auto image = std::make_unique<runtime::FakeImage>();
  image->texts = {std::string_view(text, sizeof text - 1)};
  const runtime::ModuleVersion version(2, std::move(image));
  char* body = const_cast<char*>(text);
  EXPECT_EQ(find_answer_body(version, body, 0, buffer_)->bytes.data(), text);
  EXPECT_EQ(find_answer_body(version, body, 0, buffer_)->bytes, text);
  EXPECT_EQ(find_answer_body(version, body, 2, buffer_)->bytes, "in");
  EXPECT_FALSE(find_answer_body(version, body, sizeof text + 1, buffer_));
}

TEST_F(AnswerBodyTest, MemoryThatIsNotThereIsAnErrorAndNoCrash) {
  EXPECT_FALSE(find(reinterpret_cast<void*>(16)));
  EXPECT_FALSE(find(reinterpret_cast<void*>(16), 10));
  EXPECT_FALSE(find(reinterpret_cast<void*>(UINTPTR_MAX - 5)));
  char* pages = static_cast<char*>(mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  mprotect(pages + 4096, 4096, PROT_NONE);
  std::memset(pages, 'x', 4096);
  EXPECT_FALSE(find(pages)) << "a text that runs into a page that is not there";
  EXPECT_EQ(find(pages, 4096)->bytes.size(), 4096U);
  EXPECT_FALSE(find(pages, 4097));
  munmap(pages, 8192);
}

}  // namespace
}  // namespace cweb::server
