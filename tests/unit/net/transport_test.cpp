#include <gtest/gtest.h>
#include <sys/socket.h>

#include <string>

#include "net/tcp_transport.h"

namespace cweb::net {
namespace {

using Status = IoResult::Status;

class TransportTest : public testing::Test {
 protected:
  TransportTest() {
    int fds[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    transport_ = std::make_unique<TcpTransport>(UniqueFd(fds[0]));
    peer_.reset(fds[1]);
  }
  std::unique_ptr<TcpTransport> transport_;
  UniqueFd peer_;
};

TEST_F(TransportTest, ReadsWhatThePeerSent) {
  char buffer[16];
  EXPECT_EQ(transport_->read(buffer).status, Status::would_block);
  ASSERT_EQ(write(peer_.get(), "hello", 5), 5);
  const IoResult result = transport_->read(buffer);
  EXPECT_EQ(result.status, Status::ok);
  EXPECT_EQ(std::string(buffer, result.bytes), "hello");
}

TEST_F(TransportTest, TellsTheEndOfThePeersSide) {
  peer_.reset();
  char buffer[16];
  EXPECT_EQ(transport_->read(buffer).status, Status::closed);
}

TEST_F(TransportTest, WritingToAPeerThatIsGoneIsNoSignal) {
  peer_.reset();
  EXPECT_EQ(transport_->write(std::string_view("x")).status, Status::closed);
}

TEST_F(TransportTest, APeerThatDoesNotReadBlocksNobody) {
  const std::string much(1 << 20, 'x');
  IoResult result{Status::ok};
  for (int i = 0; i < 100 && result.status == Status::ok; ++i) result = transport_->write(much);
  EXPECT_EQ(result.status, Status::would_block);
}

TEST_F(TransportTest, AfterTheEndOfOurSideThePeerReadsTheRest) {
  ASSERT_EQ(transport_->write(std::string_view("last")).bytes, 4U);
  transport_->shut_down_write();
  char buffer[16];
  EXPECT_EQ(read(peer_.get(), buffer, sizeof buffer), 4);
  EXPECT_EQ(read(peer_.get(), buffer, sizeof buffer), 0);
}

}  // namespace
}  // namespace cweb::net
