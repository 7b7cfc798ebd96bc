// What modules share with the server and with each other, and cannot spoil through the functions that they have.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <mqueue.h>
#include <openssl/bio.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstdio>

#include "base/unique_fd.h"
#include "unit/runtime/host_functions_fixture.h"

namespace cweb::runtime {
namespace {

class HostProcessTest : public HostFunctionsTest {};

// ----------------------------------------------------------------------------------------------------- descriptors

TEST_F(HostProcessTest, LibrariesCloseNoDescriptorOfTheServers) {
  const UniqueFd ours(open("/dev/null", O_RDWR | O_CLOEXEC));
  const int fd = ours.get();
  EXPECT_EQ(host<gzFile(int, const char*)>("gzdopen")(fd, "wb"), nullptr);
  EXPECT_EQ(host<int(int)>("BIO_closesocket")(fd), 0);
  EXPECT_EQ(host<int(mqd_t)>("mq_close")(fd), -1);
  for (const char* name : {"BIO_new_fd", "BIO_new_socket", "BIO_new_dgram"}) {
    BIO_free(host<BIO*(int, int)>(name)(fd, BIO_CLOSE));
    EXPECT_NE(fcntl(fd, F_GETFD), -1) << name;
  }
  auto* ctrl = host<long(BIO*, int, long, void*)>("BIO_ctrl");
  BIO* bio = BIO_new(BIO_s_fd());
  host<long(BIO*, int, long, int)>("BIO_int_ctrl")(bio, BIO_C_SET_FD, BIO_CLOSE, fd);
  ctrl(bio, BIO_CTRL_SET_CLOSE, BIO_CLOSE, nullptr);
  BIO_free(bio);
  EXPECT_NE(fcntl(fd, F_GETFD), -1);
  bio = BIO_new_fd(fd, BIO_NOCLOSE);
  host<void(BIO*, int)>("BIO_set_shutdown")(bio, BIO_CLOSE);
  BIO_free(bio);
  EXPECT_NE(fcntl(fd, F_GETFD), -1);
}

TEST_F(HostProcessTest, LibrariesCloseWhatIsTheModules) {
  const auto theirs = [] { return open("/dev/null", O_RDWR | O_CLOEXEC); };
  int fd = theirs();
  EXPECT_EQ(gzclose(host<gzFile(int, const char*)>("gzdopen")(fd, "wb")), Z_OK);
  EXPECT_EQ(fcntl(fd, F_GETFD), -1);
  fd = theirs();
  BIO_free(host<BIO*(int, int)>("BIO_new_fd")(fd, BIO_CLOSE));
  EXPECT_EQ(fcntl(fd, F_GETFD), -1);
  fd = theirs();
  BIO* const bio = BIO_new_fd(fd, BIO_NOCLOSE);
  host<long(BIO*, int, long, void*)>("BIO_ctrl")(bio, BIO_CTRL_SET_CLOSE, BIO_CLOSE, nullptr);
  BIO_free(bio);
  EXPECT_EQ(fcntl(fd, F_GETFD), -1);
}

TEST_F(HostProcessTest, LibrariesCloseNoStandardStream) {
  FILE* const output = *host<FILE**()>("__cweb_stdout")();
  BIO* bio = host<BIO*(FILE*, int)>("BIO_new_fp")(output, BIO_CLOSE);
  EXPECT_EQ(BIO_puts(bio, "a line\n"), 7);
  auto* ctrl = host<long(BIO*, int, long, void*)>("BIO_ctrl");
  ctrl(bio, BIO_C_SET_FILE_PTR, BIO_CLOSE, output);
  ctrl(bio, BIO_CTRL_SET_CLOSE, BIO_CLOSE, nullptr);
  BIO_free(bio);
  EXPECT_EQ(host<int(FILE*)>("pclose")(output), -1);
  EXPECT_EQ(host<int(FILE*)>("endmntent")(output), 1);
  EXPECT_GE(std::fputs("still open\n", output), 0);
}

}  // namespace
}  // namespace cweb::runtime
