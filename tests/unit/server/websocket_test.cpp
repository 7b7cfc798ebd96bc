// A socket is sent to from any thread; its loop writes. The loop is this test.
#include "server/websocket.h"

#include <cweb.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "runtime/module_thread.h"
#include "server/socket_directory.h"
#include "server/socket_mail.h"
#include "unit/fake_image.h"

namespace cweb::server {
namespace {

using Kind = WebSocket::Kind;

class WebSocketTest : public testing::Test {
 protected:
  std::shared_ptr<WebSocket> make(const std::string& path = "/chat") {
    WebSocket::Opening opening{.module = "m", .path = path, .params = {{"room", "tea"}}, .agreement = {}};
    opening.id = directory_.next_id();
    opening.agreement.protocol = "v2";
    return std::make_shared<WebSocket>(std::move(opening), mail_, pool_, size_t{1} << 20);
  }
  std::shared_ptr<WebSocket> open(const std::string& path = "/chat") {
    auto socket = make(path);
    EXPECT_TRUE(directory_.add(socket, 7));
    return socket;
  }
  /// What the loop would write.
  static std::string written(WebSocket& socket) {
    std::string bytes;
    while (socket.has_output()) {
      bytes.append(socket.output());
      socket.sent(socket.output().size());
    }
    return bytes;
  }

  int wakes_ = 0;
  SocketMail mail_{[this] { ++wakes_; }};
  http::WebSocketReaderPool pool_;
  runtime::SpareThreads spares_{1};
  runtime::DeadlineWatch deadlines_;
  runtime::Retirer retirer_{spares_, deadlines_};
  SocketDirectory directory_{retirer_};
};

TEST_F(WebSocketTest, sends_become_frames_in_their_order) {
  const auto socket = open();
  EXPECT_EQ(socket->handle->send(socket->handle, "hi", 2), 0);
  EXPECT_EQ(cweb_ws_send_binary(socket->handle, "\0\1", 2), 0);
  EXPECT_EQ(socket->handle->send(socket->handle, "", 0), 0);
  EXPECT_EQ(written(*socket), std::string("\x81\x02hi\x82\x02\0\1\x81\0", 10));
}

TEST_F(WebSocketTest, the_loop_is_told_once_until_it_has_looked) {
  const auto socket = open();
  socket->send(Kind::text, "a");
  socket->send(Kind::text, "b");
  EXPECT_EQ(wakes_, 1);
  EXPECT_THAT(mail_.take(), testing::ElementsAre(socket));
  EXPECT_THAT(mail_.take(), testing::IsEmpty());
  written(*socket);
  socket->send(Kind::text, "c");
  EXPECT_EQ(wakes_, 2);
  EXPECT_THAT(mail_.take(), testing::ElementsAre(socket));
}

TEST_F(WebSocketTest, the_driver_is_not_woken_by_itself_and_is_by_others) {
  mail_.driven_by_this_thread();
  const auto socket = open();
  socket->send(Kind::text, "a");
  EXPECT_EQ(wakes_, 0);
  EXPECT_THAT(mail_.take(), testing::ElementsAre(socket)) << "it looks there before it sleeps";
  written(*socket);
  std::thread([&] { socket->send(Kind::text, "b"); }).join();
  EXPECT_EQ(wakes_, 1);
}

TEST_F(WebSocketTest, in_its_turn_nobody_writes_to_the_loop) {
  const auto socket = open();
  socket->begin_turn();
  socket->send(Kind::text, "a");
  EXPECT_THAT(mail_.take(), testing::IsEmpty());
  EXPECT_EQ(written(*socket),
            "\x81\x01"
            "a");
}

TEST_F(WebSocketTest, what_a_slow_peer_has_not_read_is_bounded_and_ends_in_a_close_frame) {
  const auto socket = open();
  const std::string message(1 << 20, 'x');
  int accepted = 0;
  while (accepted < 100 && socket->send(Kind::binary, message) == 0) ++accepted;
  EXPECT_EQ(accepted, 15) << "16 MiB with the frames' heads";
  EXPECT_EQ(socket->send(Kind::text, "more"), -1);
  const std::string bytes = written(*socket);
  EXPECT_LE(bytes.size(), WebSocket::max_waiting_bytes);
  const std::string code = {static_cast<char>(1013 >> 8), static_cast<char>(1013 & 255)};
  EXPECT_EQ(bytes.substr(15 * (message.size() + 10)).substr(2, 2), code);
}

TEST_F(WebSocketTest, one_message_may_be_larger_than_all_that_may_wait) {
  const auto socket = open();
  EXPECT_EQ(socket->send(Kind::binary, std::string(WebSocket::max_waiting_bytes + 1, 'x')), 0);
  EXPECT_EQ(socket->send(Kind::binary, "x"), -1);
}

TEST_F(WebSocketTest, nothing_is_sent_behind_a_close_frame) {
  const auto socket = open();
  EXPECT_EQ(cweb_ws_close(socket->handle, 4001, "so"), 0);
  EXPECT_EQ(socket->handle->send(socket->handle, "hi", 2), -1);
  EXPECT_EQ(socket->handle->close(socket->handle), -1);
  EXPECT_EQ(written(*socket), "\x88\x04\x0f\xa1so");
}

TEST_F(WebSocketTest, only_codes_that_a_closer_may_send_are_taken) {
  const auto socket = open();
  for (const int code : {0, 999, 1002, 1004, 1005, 1006, 1015, 2000, 2999, 5000, -1, 66'536}) {
    EXPECT_EQ(cweb_ws_close(socket->handle, code, nullptr), -1) << code;
  }
  EXPECT_EQ(cweb_ws_close(socket->handle, 1000, std::string(124, 'x').c_str()), -1);
  EXPECT_FALSE(socket->closing());
  EXPECT_EQ(cweb_ws_close(socket->handle, 1000, std::string(123, 'x').c_str()), 0);
}

TEST_F(WebSocketTest, a_handle_leads_nowhere_once_its_socket_is_gone) {
  auto socket = open();
  websocket* const handle = socket->handle;
  directory_.forget(*socket);
  socket.reset();
  EXPECT_EQ(handle->send(handle, "hi", 2), -1);
  EXPECT_EQ(handle->close(handle), -1);
  EXPECT_EQ(cweb_ws_get_data(handle), nullptr);
  EXPECT_EQ(cweb_ws_param(handle, "room"), nullptr);
  EXPECT_STREQ(cweb_ws_path(handle), "");
  const auto next = open();
  EXPECT_NE(next->handle, handle) << "it is not used again within the hour";
}

TEST_F(WebSocketTest, what_is_no_handle_is_a_socket_that_is_gone) {
  const auto socket = open();
  websocket own{};
  EXPECT_EQ(cweb_ws_send_binary(&own, "hi", 2), -1);
  EXPECT_EQ(cweb_ws_send_binary(nullptr, "hi", 2), -1);
  auto* const inside = reinterpret_cast<websocket*>(reinterpret_cast<char*>(socket->handle) + 8);
  EXPECT_EQ(cweb_ws_send_binary(inside, "hi", 2), -1);
  EXPECT_EQ(cweb_ws_send_binary(socket->handle + 1000, "hi", 2), -1);
  EXPECT_EQ(cweb_ws_send_binary(socket->handle, nullptr, 2), -1);
}

TEST_F(WebSocketTest, a_broadcast_reaches_the_sockets_of_its_path) {
  const auto one = open();
  const auto two = open();
  const auto other = open("/other");
  EXPECT_EQ(cweb_ws_count("/chat"), 2);
  EXPECT_EQ(cweb_ws_broadcast("/chat", "hi", 2), 2);
  EXPECT_EQ(cweb_ws_broadcast("/nobody", "hi", 2), 0);
  EXPECT_EQ(cweb_ws_broadcast(nullptr, "hi", 2), -1);
  EXPECT_EQ(written(*one), "\x81\x02hi");
  EXPECT_EQ(written(*two), "\x81\x02hi");
  EXPECT_FALSE(other->has_output());
  directory_.leave(*one);
  EXPECT_EQ(cweb_ws_broadcast_binary("/chat", "x", 1), 1);
  EXPECT_EQ(cweb_ws_count("/chat"), 1);
}

TEST_F(WebSocketTest, sockets_are_walked_through_in_the_order_of_their_opening) {
  const auto one = open();
  const auto two = open();
  const auto three = open();
  EXPECT_EQ(cweb_ws_next("/chat", nullptr), one->handle);
  directory_.forget(*two);
  EXPECT_EQ(cweb_ws_next("/chat", one->handle), three->handle);
  EXPECT_EQ(cweb_ws_next("/chat", three->handle), nullptr);
  EXPECT_EQ(cweb_ws_next("/nobody", nullptr), nullptr);
}

TEST_F(WebSocketTest, a_socket_that_closed_while_it_was_the_previous_one_keeps_its_place) {
  const auto one = open();
  const auto two = open();
  websocket* const previous = one->handle;
  directory_.forget(*one);
  EXPECT_EQ(cweb_ws_next("/chat", previous), two->handle);
}

TEST_F(WebSocketTest, what_it_was_opened_with_can_be_asked_for) {
  const auto socket = open();
  EXPECT_STREQ(cweb_ws_path(socket->handle), "/chat");
  EXPECT_STREQ(cweb_ws_param(socket->handle, "room"), "tea");
  EXPECT_EQ(cweb_ws_param(socket->handle, "other"), nullptr);
  EXPECT_STREQ(cweb_ws_protocol(socket->handle), "v2");
  EXPECT_EQ(cweb_ws_request(socket->handle), nullptr);
}

TEST_F(WebSocketTest, data_keeps_the_version_whose_memory_it_is) {
  auto version = std::make_shared<runtime::ModuleVersion>(1, std::make_unique<runtime::FakeImage>());
  const std::weak_ptr<runtime::ModuleVersion> seen = version;
  const auto socket = open();
  int elsewhere = 0;
  runtime::set_current_version(version.get());
  void* const block = version->heap().allocate(16);
  cweb_ws_set_data(socket->handle, block);
  cweb_ws_set_data(socket->handle, block);
  runtime::set_current_version(nullptr);
  version.reset();
  EXPECT_FALSE(seen.expired());
  EXPECT_EQ(cweb_ws_get_data(socket->handle), block);
  EXPECT_EQ(socket->set_data(&elsewhere), seen.lock()) << "it may go, and whoever asked decides where";
  EXPECT_TRUE(seen.expired());
  EXPECT_EQ(cweb_ws_get_data(socket->handle), &elsewhere);
}

TEST_F(WebSocketTest, what_a_module_looked_at_stays_for_a_while) {
  auto socket = open();
  const char* const room = cweb_ws_param(socket->handle, "room");
  directory_.forget(*socket);
  socket.reset();
  EXPECT_STREQ(room, "tea");
}

TEST_F(WebSocketTest, a_length_that_was_computed_wrong_sends_nothing) {
  const auto socket = open();
  EXPECT_EQ(socket->handle->send(socket->handle, "hi", static_cast<size_t>(-1)), -1);
  EXPECT_EQ(cweb_ws_send_binary(socket->handle, "hi", SIZE_MAX / 2), -1);
  EXPECT_EQ(cweb_ws_broadcast("/chat", "hi", static_cast<size_t>(-1)), -1);
  EXPECT_FALSE(socket->has_output());
}

TEST_F(WebSocketTest, text_is_utf8) {
  const auto socket = open();
  EXPECT_EQ(socket->handle->send(socket->handle, "gr\xfc\xdf", 4), -1);
  EXPECT_EQ(socket->handle->send(socket->handle, "\xc3", 1), -1);
  EXPECT_EQ(cweb_ws_broadcast("/chat", "\xff", 1), -1);
  EXPECT_EQ(cweb_ws_send_binary(socket->handle, "\xff", 1), 0);
  EXPECT_EQ(socket->handle->send(socket->handle, "gr\xc3\xbc\xc3\x9f", 6), 0);
}

TEST_F(WebSocketTest, many_threads_send_and_each_ones_messages_keep_their_order) {
  const auto socket = open();
  constexpr int per_thread = 2000;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < per_thread; ++i) {
        const std::string text = std::to_string(t) + ":" + std::to_string(i);
        ASSERT_EQ(socket->handle->send(socket->handle, text.data(), text.size()), 0);
      }
    });
  }
  std::string bytes;
  for (int frames = 0; frames < 4 * per_thread;) {
    const std::string piece = written(*socket);
    for (size_t at = 0; at < piece.size(); at += 2 + static_cast<unsigned char>(piece[at + 1])) ++frames;
    bytes += piece;
  }
  for (std::thread& thread : threads) thread.join();
  std::array<int, 4> next{};
  for (size_t at = 0; at < bytes.size(); at += 2 + static_cast<unsigned char>(bytes[at + 1])) {
    const std::string text = bytes.substr(at + 2, static_cast<unsigned char>(bytes[at + 1]));
    int& expected = next[static_cast<size_t>(text[0] - '0')];
    EXPECT_EQ(text.substr(2), std::to_string(expected++));
  }
  EXPECT_THAT(next, testing::Each(per_thread));
}

}  // namespace
}  // namespace cweb::server
