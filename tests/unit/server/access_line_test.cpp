#include "server/access_line.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

#include <nlohmann/json.hpp>

namespace cweb::server {
namespace {

net::PeerAddress somebody() {
  sockaddr_storage storage{};
  auto& address = reinterpret_cast<sockaddr_in&>(storage);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(0xC0000201);
  return net::PeerAddress::from(storage);
}

AccessRecord record_of(std::string_view method, std::string_view target) {
  return {.time = {.tv_sec = 1'795'463'669, .tv_nsec = 42'999'999},
          .peer = somebody(),
          .connection = 17,
          .method = method,
          .target = target,
          .protocol = "HTTP/1.1",
          .status = 200,
          .body_bytes = 1'234,
          .duration_s = 0.000'123'4,
          .module = "counter"};
}

std::string line(AccessLogFormat format, const AccessRecord& record) {
  std::string text;
  append_access_line(text, format, record);
  return text;
}

/// Every byte that there is.
std::string all_bytes() {
  std::string text;
  for (int byte = 0; byte < 256; ++byte) text += static_cast<char>(byte);
  return text;
}

TEST(AccessLineTest, common_is_the_common_log_format) {
  EXPECT_EQ(line(AccessLogFormat::common, record_of("GET", "/counter?by=2")),
            "192.0.2.1 - - [23/Nov/2026:19:54:29 +0000] \"GET /counter?by=2 HTTP/1.1\" 200 1234\n");
}

TEST(AccessLineTest, a_request_that_never_came_whole_has_no_protocol_or_no_line_at_all) {
  AccessRecord record = record_of("GET", "/long");
  record.protocol = {};
  record.status = 414;
  EXPECT_EQ(line(AccessLogFormat::common, record),
            "192.0.2.1 - - [23/Nov/2026:19:54:29 +0000] \"GET /long\" 414 1234\n");
  record.method = record.target = {};
  EXPECT_EQ(line(AccessLogFormat::common, record), "192.0.2.1 - - [23/Nov/2026:19:54:29 +0000] \"-\" 414 1234\n");
}

TEST(AccessLineTest, no_request_can_forge_a_line) {
  const std::string forged = "/x\" 200 0\n6.6.6.6 - - [] \"GET /\\";
  EXPECT_EQ(line(AccessLogFormat::common, record_of("GET", forged)),
            "192.0.2.1 - - [23/Nov/2026:19:54:29 +0000] \"GET /x\\x22 200 0\\x0A6.6.6.6 - - [] \\x22GET /\\x5C "
            "HTTP/1.1\" 200 1234\n");
}

TEST(AccessLineTest, whatever_bytes_come_a_line_is_printable_ascii) {
  for (const AccessLogFormat format : {AccessLogFormat::common, AccessLogFormat::json}) {
    const std::string text = line(format, record_of(all_bytes(), all_bytes()));
    EXPECT_EQ(text.find('\n'), text.size() - 1);
    for (const char c : text.substr(0, text.size() - 1)) EXPECT_TRUE(c >= ' ' && c < 0x7f) << static_cast<int>(c);
  }
}

TEST(AccessLineTest, json_is_one_object_with_everything_in_it) {
  const auto json = nlohmann::json::parse(line(AccessLogFormat::json, record_of("GET", "/a?b=\"c\"")));
  EXPECT_EQ(json, nlohmann::json({{"time", "2026-11-23T19:54:29.042Z"},
                                  {"peer", "192.0.2.1"},
                                  {"connection", 17},
                                  {"method", "GET"},
                                  {"path", "/a?b=\"c\""},
                                  {"protocol", "HTTP/1.1"},
                                  {"status", 200},
                                  {"bytes", 1'234},
                                  {"duration", 0.000'123},
                                  {"module", "counter"}}));
}

TEST(AccessLineTest, json_keeps_every_byte_of_the_target) {
  const auto json = nlohmann::json::parse(line(AccessLogFormat::json, record_of("GET", all_bytes())));
  const std::string path = json["path"];
  std::string expected;  // the characters of those numbers, in UTF-8
  for (int byte = 0; byte < 256; ++byte) {
    if (byte < 0x80) {
      expected += static_cast<char>(byte);
    } else {
      expected += static_cast<char>(0xC0 | byte >> 6);
      expected += static_cast<char>(0x80 | (byte & 0x3F));
    }
  }
  EXPECT_EQ(path, expected);
}

}  // namespace
}  // namespace cweb::server
