// RFC 6455 and RFC 7692 on the wire: every case of websocket_cases/, byte for byte, however its bytes come.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "deploying.h"
#include "message_deflate.h"
#include "server_process.h"
#include "websocket_cases/protocol_case.h"

namespace cweb::e2e {

void PrintTo(const CaseGroup& group, std::ostream* out) {
  *out << group.name;
}

namespace {

/// Sends back what it gets, text as text and binary as binary.
constexpr const char* mirror_module = R"(#include <cweb.h>

static void on_message(struct websocket *ws, const char *message, size_t length) {
    if (cweb_ws_is_binary(ws))
        cweb_ws_send_binary(ws, message, length);
    else
        ws->send(ws, message, length);
}

export module_t config = {.name = "mirror", .websockets = {{"/mirror", NULL, on_message, NULL}}, .ws_size = 1};
)";

/// The same bytes in the same order come to the same, whatever the segments that carry them.
enum class Delivery { in_one_segment, behind_the_handshake, in_small_segments };

constexpr std::pair<Delivery, const char*> deliveries[] = {{Delivery::in_one_segment, "in one segment"},
                                                           {Delivery::behind_the_handshake, "behind the handshake"},
                                                           {Delivery::in_small_segments, "in small segments"}};

std::vector<CaseGroup> all_groups() {
  std::vector<CaseGroup> all;
  for (const auto groups : {framing_groups, control_frame_groups, reserved_groups, fragmentation_groups, utf8_groups,
                            close_groups, limit_groups, segment_groups, compression_groups}) {
    for (CaseGroup& group : groups()) all.push_back(std::move(group));
  }
  return all;
}

/// Shows the place where they part instead of a megabyte of each.
testing::AssertionResult same_bytes(std::string_view seen, std::string_view expected) {
  if (seen == expected) return testing::AssertionSuccess();
  const auto [left, right] = std::mismatch(seen.begin(), seen.end(), expected.begin(), expected.end());
  const auto at = static_cast<size_t>(left - seen.begin());
  return testing::AssertionFailure() << seen.size() << " bytes instead of " << expected.size() << ", differing at "
                                     << at << ":\n  seen     " << in_hex(seen.substr(at, 24)) << "\n  expected "
                                     << in_hex(expected.substr(at, 24));
}

bool is_plain_text(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char letter) { return letter >= ' ' && letter <= '~'; });
}

testing::AssertionResult is_message(const ServerFrame& frame, std::string_view message) {
  if (frame.bits.opcode != opcode::text || !frame.bits.fin || (frame.bits.rsv & ~rsv1) != 0) {
    return testing::AssertionFailure() << "no text in one frame: " << in_hex(frame.bytes.substr(0, 24));
  }
  if (frame.bits.rsv == 0) return same_bytes(frame.payload(), message);
  const std::optional<std::string> text = inflated(frame.payload());
  if (text) return same_bytes(*text, message);
  return testing::AssertionFailure() << "the payload is not deflated: " << in_hex(frame.payload().substr(0, 100));
}

/// A close frame for a fault: it says what the matter is.
testing::AssertionResult is_close(const ServerFrame& frame, uint16_t code) {
  if (frame.bytes[0] != '\x88' || frame.payload().size() > 125) {
    return testing::AssertionFailure() << "no close frame: " << in_hex(frame.bytes.substr(0, 24));
  }
  if (frame.close_code() != code) {
    return testing::AssertionFailure() << "code " << frame.close_code() << " instead of " << code << ": "
                                       << frame.close_reason();
  }
  if (!is_plain_text(frame.close_reason())) {
    return testing::AssertionFailure() << "the reason is none: " << in_hex(frame.close_reason());
  }
  return testing::AssertionSuccess();
}

testing::AssertionResult is_answer(const ServerFrame& frame, const Answer& answer) {
  switch (answer.kind) {
    case Answer::Kind::message:
      return is_message(frame, answer.bytes);
    case Answer::Kind::close:
      if (answer.bytes.empty()) return is_close(frame, answer.code);
      break;
    case Answer::Kind::frame:
      break;
  }
  return same_bytes(frame.bytes, answer.bytes);
}

class ProtocolRun {
 public:
  ProtocolRun(uint16_t port, const CaseGroup& group, const ProtocolCase& wanted)
      : client_(port), wanted_(wanted), handshake_(websocket_handshake("/mirror", group.handshake_lines)) {}

  /// Fails the test at the first thing that is not as it should be.
  void run(Delivery delivery) {
    send(delivery);
    if (wanted_.client_ends) client_.end_sending();
    for (const Answer& answer : wanted_.answers) ASSERT_NO_FATAL_FAILURE(expect(answer));
    const bool closed = !wanted_.answers.empty() && wanted_.answers.back().kind == Answer::Kind::close;
    if (closed || wanted_.client_ends) {
      expect_end();
    } else {
      expect_open();
    }
  }

 private:
  void send(Delivery delivery) {
    const bool behind = delivery == Delivery::behind_the_handshake;
    client_.send(behind ? handshake_ + wanted_.sent : handshake_);
    EXPECT_EQ(client_.read_response().status, 101);
    // A server that has seen enough may have gone before the last byte.
    if (delivery == Delivery::in_one_segment) send_as_cut();
    if (delivery == Delivery::in_small_segments) client_.send_in_segments(wanted_.sent, small_segment());
  }

  /// Byte by byte, as long as that is not too many of them.
  size_t small_segment() const { return wanted_.sent.size() <= 200 ? 1 : 1 + wanted_.sent.size() / 50; }

  void send_as_cut() {
    size_t sent = 0;
    for (const size_t cut : wanted_.cuts) {
      client_.send_in_segments(std::string_view(wanted_.sent).substr(sent, cut - sent), cut - sent);
      sent = cut;
    }
    client_.send(std::string_view(wanted_.sent).substr(sent));
  }

  void expect(const Answer& answer) {
    const std::optional<ServerFrame> frame = read_server_frame(client_);
    ASSERT_TRUE(frame.has_value()) << "the connection ended instead of an answer";
    ASSERT_TRUE(is_answer(*frame, answer));
  }

  void expect_end() {
    const std::string more = client_.read_to_end();
    EXPECT_EQ(more.size(), 0U) << in_hex(more.substr(0, 100));
    // A reset may overtake the close frame and take it away from the client.
    EXPECT_FALSE(client_.was_reset());
  }

  /// Nothing more was on its way, and a ping and a close are answered as on any connection.
  void expect_open() {
    client_.send(ping("still there?") + closing(1000));
    ASSERT_NO_FATAL_FAILURE(expect(pong_back("still there?")));
    ASSERT_NO_FATAL_FAILURE(expect(closed_back(1000)));
    expect_end();
  }

  RawClient client_;
  const ProtocolCase& wanted_;
  const std::string handshake_;
};

class WebSocketProtocolTest : public testing::TestWithParam<CaseGroup> {};

INSTANTIATE_TEST_SUITE_P(Group, WebSocketProtocolTest, testing::ValuesIn(all_groups()),
                         [](const auto& tested) { return tested.param.name; });

TEST_P(WebSocketProtocolTest, each_case_is_answered_byte_for_byte) {
  const CaseGroup& group = GetParam();
  ServerProcess server(group.server_options);
  const DeployAnswer answer = deploy(server.port(), mirror_module);
  ASSERT_TRUE(answer.deployed()) << answer;
  for (const ProtocolCase& wanted : group.cases()) {
    for (const auto& [delivery, name] : deliveries) {
      if (!wanted.cuts.empty() && delivery != Delivery::in_one_segment) continue;
      SCOPED_TRACE(wanted.name + ", " + name);
      ProtocolRun(server.port(), group, wanted).run(delivery);
    }
  }
}

TEST(WebSocketCasesTest, there_are_as_many_as_promised_and_each_has_a_name_of_its_own) {
  size_t cases = 0;
  for (const CaseGroup& group : all_groups()) {
    std::set<std::string> names;
    for (const ProtocolCase& wanted : group.cases()) {
      EXPECT_TRUE(names.insert(wanted.name).second) << group.name << ": " << wanted.name;
    }
    cases += names.size();
  }
  EXPECT_GE(cases, 200U);
}

}  // namespace
}  // namespace cweb::e2e
