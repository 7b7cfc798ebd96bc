// TLS over a socket pair, with OpenSSL's own client at the other end.
#include "net/tls_transport.h"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <memory>
#include <string>

#include "certificates.h"
#include "net/tls_credentials.h"

namespace cweb::net {
namespace {

using Status = IoResult::Status;
using testing_support::CertificatePair;
using testing_support::make_certificate;
using testing_support::TemporaryDirectory;

class TlsTransportTest : public testing::Test {
 protected:
  TlsTransportTest() {
    const CertificatePair pair = make_certificate();
    auto loaded = TlsCredentials::load(
        {.certificate = directory_.write("a.crt", pair.certificate), .key = directory_.write("a.key", pair.key)});
    EXPECT_TRUE(loaded);
    credentials_ = std::move(*loaded);
    int fds[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    transport_ = std::make_unique<TlsTransport>(UniqueFd(fds[0]), credentials_->current());
    peer_.reset(fds[1]);
    context_ = SSL_CTX_new(TLS_client_method());
    client_ = SSL_new(context_);
    SSL_set_fd(client_, peer_.get());
    SSL_set_connect_state(client_);
  }
  ~TlsTransportTest() override {
    SSL_free(client_);
    SSL_CTX_free(context_);
  }

  bool shake_hands() {
    for (int i = 0; i < 10; ++i) {
      const bool client_done = SSL_do_handshake(client_) == 1;
      const IoResult result = transport_->handshake();
      if (result.status == Status::closed) return false;
      if (client_done && result.status == Status::ok) return true;
    }
    return false;
  }
  std::string read_all() {
    std::string text;
    char buffer[16];
    for (IoResult result{Status::ok}; result.status == Status::ok;) {
      result = transport_->read(buffer);
      text.append(buffer, result.bytes);
    }
    return text;
  }

  const TemporaryDirectory directory_;
  std::unique_ptr<TlsCredentials> credentials_;
  std::unique_ptr<TlsTransport> transport_;
  UniqueFd peer_;
  SSL_CTX* context_ = nullptr;
  SSL* client_ = nullptr;
};

TEST_F(TlsTransportTest, carries_bytes_in_both_directions) {
  ASSERT_TRUE(shake_hands());
  ASSERT_EQ(SSL_write(client_, "hello", 5), 5);
  char buffer[16];
  const IoResult result = transport_->read(buffer);
  EXPECT_EQ(result.status, Status::ok);
  EXPECT_EQ(std::string(buffer, result.bytes), "hello");
  EXPECT_FALSE(result.more) << "the socket is empty, and that is known";
  EXPECT_EQ(transport_->write(std::string("good day")).status, Status::ok);
  EXPECT_EQ(SSL_read(client_, buffer, sizeof buffer), 8);
}

TEST_F(TlsTransportTest, what_is_decrypted_and_not_fetched_is_never_forgotten) {
  ASSERT_TRUE(shake_hands());
  const std::string sent(1000, 'x');
  ASSERT_EQ(SSL_write(client_, sent.data(), 1000), 1000);
  char buffer[10];
  EXPECT_TRUE(transport_->read(buffer).more);
  EXPECT_EQ(read_all().size(), 990U);
}

TEST_F(TlsTransportTest, what_comes_while_something_is_left_of_an_earlier_look_at_the_socket_is_never_forgotten) {
  ASSERT_TRUE(shake_hands());
  ASSERT_EQ(SSL_write(client_, "one", 3), 3);
  ASSERT_EQ(SSL_write(client_, "two", 3), 3);
  char buffer[16];
  EXPECT_TRUE(transport_->read(buffer).more) << "both have come with one look";
  ASSERT_EQ(SSL_write(client_, "three", 5), 5);
  const IoResult second = transport_->read(buffer);
  EXPECT_EQ(std::string(buffer, second.bytes), "two");
  EXPECT_TRUE(second.more) << "nobody has looked since";
  EXPECT_EQ(read_all(), "three");
}

TEST_F(TlsTransportTest, before_the_handshake_nothing_is_read_or_written) {
  char buffer[10];
  EXPECT_EQ(transport_->handshake().status, Status::would_block);
  EXPECT_EQ(transport_->read(buffer).status, Status::closed);
  EXPECT_EQ(transport_->write(std::string("early")).status, Status::closed);
}

TEST_F(TlsTransportTest, a_goodbye_is_an_end_in_order) {
  ASSERT_TRUE(shake_hands());
  SSL_shutdown(client_);
  char buffer[10];
  EXPECT_EQ(transport_->read(buffer).status, Status::closed);
  EXPECT_EQ(transport_->write(std::string("still here")).status, Status::ok) << "our side has not ended";
}

TEST_F(TlsTransportTest, a_stream_that_is_cut_off_is_a_failure) {
  ASSERT_TRUE(shake_hands());
  ::shutdown(peer_.get(), SHUT_WR);
  char buffer[10];
  EXPECT_EQ(transport_->read(buffer).status, Status::closed);
  EXPECT_EQ(transport_->write(std::string("answer")).status, Status::closed);
}

TEST_F(TlsTransportTest, our_end_is_said_with_a_goodbye) {
  ASSERT_TRUE(shake_hands());
  transport_->shut_down_write();
  char buffer[10];
  const int count = SSL_read(client_, buffer, sizeof buffer);
  EXPECT_EQ(SSL_get_error(client_, count), SSL_ERROR_ZERO_RETURN);
  transport_.reset();
}

TEST_F(TlsTransportTest, whoever_is_just_destroyed_says_goodbye_too) {
  ASSERT_TRUE(shake_hands());
  transport_.reset();
  char buffer[10];
  const int count = SSL_read(client_, buffer, sizeof buffer);
  EXPECT_EQ(SSL_get_error(client_, count), SSL_ERROR_ZERO_RETURN);
}

TEST_F(TlsTransportTest, plain_http_is_recognised_and_can_be_answered_as_such) {
  ASSERT_EQ(write(peer_.get(), "GET / HTTP/1.1\r\n\r\n", 18), 18);
  EXPECT_EQ(transport_->handshake().status, Status::closed);
  EXPECT_TRUE(transport_->speaks_plain_http());
  EXPECT_EQ(transport_->write(std::string("no")).bytes, 2U);
  char buffer[10];
  EXPECT_EQ(::read(peer_.get(), buffer, sizeof buffer), 2);
}

TEST_F(TlsTransportTest, what_is_no_tls_at_all_fails) {
  ASSERT_EQ(write(peer_.get(), "\x16\x03\x01\xff\xff no record", 15), 15);
  EXPECT_EQ(transport_->handshake().status, Status::closed);
  EXPECT_FALSE(transport_->speaks_plain_http());
}

TEST_F(TlsTransportTest, key_updates_without_end_are_an_end) {
  ASSERT_TRUE(shake_hands());
  char buffer[10];
  IoResult result{Status::would_block};
  int rounds = 0;
  for (; rounds < 100 && result.status == Status::would_block; ++rounds) {
    ASSERT_EQ(SSL_key_update(client_, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
    ASSERT_EQ(SSL_do_handshake(client_), 1);
    result = transport_->read(buffer);
  }
  EXPECT_EQ(result.status, Status::closed);
  EXPECT_GT(rounds, 2) << "a few are allowed";
}

TEST_F(TlsTransportTest, failures_that_a_module_left_behind_do_not_matter) {
  ASSERT_TRUE(shake_hands());
  ERR_raise(ERR_LIB_USER, 1);
  char buffer[10];
  EXPECT_EQ(transport_->read(buffer).status, Status::would_block);
  ERR_raise(ERR_LIB_USER, 1);
  EXPECT_EQ(transport_->write(std::string("x")).status, Status::ok);
  ERR_clear_error();
}

TEST_F(TlsTransportTest, a_write_that_does_not_fit_goes_on_later) {
  ASSERT_TRUE(shake_hands());
  std::string sent;
  for (int i = 0; sent.size() < 4'000'000; ++i) sent += std::to_string(i) + " ";
  std::string_view rest = sent;
  std::string got;
  char buffer[16 * 1024];
  bool was_full = false;
  while (got.size() < sent.size()) {
    IoResult result{Status::ok};
    while (!rest.empty() && (result = transport_->write(rest)).status == Status::ok) rest.remove_prefix(result.bytes);
    ASSERT_NE(result.status, Status::closed);
    was_full |= result.status == Status::would_block;
    for (int count = 0; (count = SSL_read(client_, buffer, sizeof buffer)) > 0;) {
      got.append(buffer, static_cast<size_t>(count));
    }
  }
  EXPECT_TRUE(was_full);
  EXPECT_TRUE(got == sent);
}

}  // namespace
}  // namespace cweb::net
