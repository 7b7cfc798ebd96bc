#include "base/unique_fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>

namespace cweb {
namespace {

int open_null() {
  return ::open("/dev/null", O_RDWR | O_CLOEXEC);
}
bool is_open(int fd) {
  return ::fcntl(fd, F_GETFD) != -1;
}

TEST(UniqueFdTest, ClosesWhatItOwns) {
  const int fd = open_null();
  {
    const UniqueFd owner(fd);
    EXPECT_TRUE(is_open(fd));
  }
  EXPECT_FALSE(is_open(fd));
}

TEST(UniqueFdTest, MovesAndReleases) {
  UniqueFd first(open_null());
  const int fd = first.get();
  UniqueFd second(std::move(first));
  EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move): empty after a move is the promise
  EXPECT_EQ(second.release(), fd);
  EXPECT_TRUE(is_open(fd));
  second.reset(fd);
  second = UniqueFd();
  EXPECT_FALSE(is_open(fd));
}

TEST(UniqueFdTest, KnowsTheServersDescriptors) {
  EXPECT_TRUE(is_server_descriptor(0));
  EXPECT_TRUE(is_server_descriptor(2));
  EXPECT_FALSE(is_server_descriptor(-1));
  EXPECT_FALSE(is_server_descriptor(1 << 30));
  UniqueFd owner(open_null());
  const int fd = owner.get();
  EXPECT_TRUE(is_server_descriptor(fd));
  UniqueFd moved(std::move(owner));
  EXPECT_TRUE(is_server_descriptor(fd));
  ::close(moved.release());
  EXPECT_FALSE(is_server_descriptor(fd));
  moved.reset(open_null());
  EXPECT_TRUE(is_server_descriptor(moved.get()));
}

}  // namespace
}  // namespace cweb
