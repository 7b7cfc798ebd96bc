// The opening handshake: RFC 6455, 4.2, and the offers of RFC 7692, 7.1.
#include "http/websocket_handshake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "base/error.h"
#include "http/websocket_extensions.h"

namespace cweb::http {
namespace {

/// A request, read up to its end.
class Request {
 public:
  explicit Request(const std::string& text) : reader_(RequestLimits{}) {
    const std::span<char> room = reader_.room();
    CWEB_ASSERT(text.size() <= room.size());
    std::memcpy(room.data(), text.data(), text.size());
    reader_.committed(text.size());
    CWEB_ASSERT(reader_.advance() == RequestReader::Step::head);
    CWEB_ASSERT(reader_.admit_body(0) && reader_.advance() == RequestReader::Step::complete);
  }
  const RequestReader& reader() const { return reader_; }

 private:
  RequestReader reader_;
};

const std::string upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
const std::string version = "Sec-WebSocket-Version: 13\r\n";
const std::string key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

bool asks(const std::string& headers, const std::string& line = "GET /chat HTTP/1.1") {
  return asks_for_websocket(Request(line + "\r\nHost: h\r\n" + headers + "\r\n").reader());
}

std::expected<WebSocketAgreement, HandshakeRefusal> agree(const std::string& headers, bool offer_deflate = true) {
  return agree_on_websocket(Request("GET / HTTP/1.1\r\nHost: h\r\n" + upgrade + headers + "\r\n").reader(),
                            offer_deflate);
}

/// Of a handshake that is not agreed on; 0 when it is.
int refused(const std::string& headers) {
  const auto agreement = agree(headers);
  if (agreement) return 0;
  EXPECT_GT(std::strlen(agreement.error().sentence), 0U);
  EXPECT_NE(agreement.error().headers, nullptr);
  return agreement.error().status;
}

TEST(WebSocketHandshake, IsAskedForByUpgradeAndConnection) {
  EXPECT_TRUE(asks(upgrade));
  EXPECT_TRUE(asks("upgrade: WebSocket\r\nCONNECTION: keep-alive, uPGRADE\r\n"));
  EXPECT_TRUE(asks("Upgrade: h2c\r\nUpgrade: foo ,\twebsocket\r\nConnection: close\r\nConnection: ,Upgrade,\r\n"));
  EXPECT_FALSE(asks(""));
  EXPECT_FALSE(asks("Upgrade: websocket\r\n"));
  EXPECT_FALSE(asks("Connection: Upgrade\r\n"));
  EXPECT_FALSE(asks("Upgrade: websockets\r\nConnection: Upgrade\r\n"));
  EXPECT_FALSE(asks("Upgrade: web socket\r\nConnection: Upgrade\r\n"));
  EXPECT_FALSE(asks("Upgrade: websocket\r\nConnection: Upgraded\r\n"));
  EXPECT_FALSE(asks(upgrade, "POST / HTTP/1.1"));
  EXPECT_FALSE(asks(upgrade, "HEAD / HTTP/1.1"));
  EXPECT_FALSE(asks(upgrade, "GET / HTTP/1.0"));
}

TEST(WebSocketHandshake, TheExampleOfTheRfc) {
  const auto agreement = agree(key + version);
  ASSERT_TRUE(agreement);
  EXPECT_EQ(agreement->accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_EQ(agreement->protocol, "");
  EXPECT_FALSE(agreement->deflate);
  std::string answer = "before";
  append_switching_protocols(answer, *agreement);
  EXPECT_EQ(answer,
            "beforeHTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
}

TEST(WebSocketHandshake, AnotherVersionIsToldTheRightOne) {
  for (const char* other : {"12", "8", "14", "013", "13, 8", "", "x"}) {
    const auto agreement = agree(key + "Sec-WebSocket-Version: " + other + "\r\n");
    ASSERT_FALSE(agreement) << other;
    EXPECT_EQ(agreement.error().status, 426) << other;
    EXPECT_STREQ(agreement.error().headers, "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n");
  }
  EXPECT_EQ(refused(key), 426);
  EXPECT_EQ(refused("Sec-WebSocket-Version: 7\r\n"), 426) << "whatever else that version has";
  EXPECT_EQ(refused(key + version + version), 400);
}

TEST(WebSocketHandshake, TheKeyIsSixteenBytes) {
  EXPECT_EQ(refused(version), 400);
  EXPECT_EQ(refused(version + key + key), 400);
  const auto refused_with = [](const std::string& value) {
    return refused(version + "Sec-WebSocket-Key: " + value + "\r\n");
  };
  EXPECT_EQ(refused_with("AAAAAAAAAAAAAAAAAAAAAA=="), 0);
  EXPECT_EQ(refused_with("+/+/+/+/+/+/+/+/+/+/+w=="), 0);
  EXPECT_EQ(refused_with("  dGhlIHNhbXBsZSBub25jZQ==  "), 0);
  EXPECT_EQ(refused_with(""), 400);
  EXPECT_EQ(refused_with("dGhlIHNhbXBsZSBub25jZQ="), 400);
  EXPECT_EQ(refused_with("dGhlIHNhbXBsZSBub25jZQ"), 400);
  EXPECT_EQ(refused_with("dGhlIHNhbXBsZSBub25jZQ==="), 400);
  EXPECT_EQ(refused_with("dGhlIHNhbXBsZSBub25jZQQ="), 400) << "17 bytes";
  EXPECT_EQ(refused_with("dGhlIHNhbXBsZSBub25jZQQQ"), 400) << "18 bytes";
  EXPECT_EQ(refused_with("dGhlIHNhbXBsZSBub25j"), 400) << "15 bytes";
  EXPECT_EQ(refused_with("dGhlIHNhbXBsZSBub25-ZQ=="), 400) << "not of base64";
  EXPECT_EQ(refused_with("dGhlIHNhbXBsZSBub=5jZQ=="), 400);
  EXPECT_EQ(refused_with("dGhlIHNh XBsZSBub25jZQ=="), 400);
}

std::string protocol(const std::string& headers) {
  const auto agreement = agree(key + version + headers);
  return agreement ? agreement->protocol : std::to_string(agreement.error().status);
}

TEST(WebSocketHandshake, TheFirstSubprotocolIsTaken) {
  EXPECT_EQ(protocol("Sec-WebSocket-Protocol: chat, superchat\r\n"), "chat");
  EXPECT_EQ(protocol("Sec-WebSocket-Protocol:\tv1.x+json!\r\nsec-websocket-protocol: other\r\n"), "v1.x+json!");
  EXPECT_EQ(protocol("Sec-WebSocket-Protocol: , chat ,,x\r\n"), "chat");
  for (const char* wrong : {"", " , ", "a b", "chat, a/b", "\"chat\"", "chat;q=1", "chat, \xc3\xa4"}) {
    EXPECT_EQ(protocol("Sec-WebSocket-Protocol: " + std::string(wrong) + "\r\n"), "400") << wrong;
  }
  EXPECT_EQ(protocol("Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: a b\r\n"), "400");

  const auto agreement = agree(key + version + "Sec-WebSocket-Protocol: chat\r\n");
  ASSERT_TRUE(agreement);
  std::string answer;
  append_switching_protocols(answer, *agreement);
  EXPECT_THAT(answer, testing::EndsWith("\r\nSec-WebSocket-Protocol: chat\r\n\r\n"));
}

/// What is answered about extensions: "" for none, or a status.
std::string extensions(const std::string& headers, bool offer_deflate = true) {
  const auto agreement = agree(key + version + headers, offer_deflate);
  if (!agreement) return std::to_string(agreement.error().status);
  std::string answer;
  append_switching_protocols(answer, *agreement);
  constexpr std::string_view name = "Sec-WebSocket-Extensions: ";
  const size_t begin = answer.find(name);
  EXPECT_EQ(begin != answer.npos, agreement->deflate);
  if (begin == answer.npos) return "";
  const size_t value = begin + name.size();
  return answer.substr(value, answer.find("\r\n", value) - value);
}

std::string offered(const std::string& offer) {
  return extensions("Sec-WebSocket-Extensions: " + offer + "\r\n");
}

const std::string taken = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

TEST(WebSocketExtensions, AnOfferThatCanBeMetIsTaken) {
  EXPECT_EQ(extensions(""), "");
  EXPECT_EQ(offered("permessage-deflate"), taken);
  EXPECT_EQ(offered("permessage-deflate; client_max_window_bits"), taken);
  EXPECT_EQ(offered("permessage-deflate;client_max_window_bits=8"), taken);
  EXPECT_EQ(offered("permessage-deflate; client_max_window_bits=\"15\""), taken);
  EXPECT_EQ(offered("permessage-deflate; client_no_context_takeover; server_no_context_takeover"), taken);
  EXPECT_EQ(offered("permessage-deflate; server_max_window_bits=10"), taken + "; server_max_window_bits=10");
  EXPECT_EQ(offered("permessage-deflate ; server_max_window_bits = \"1\\5\""), taken + "; server_max_window_bits=15");
  EXPECT_EQ(offered("permessage-deflate; server_max_window_bits=9"), taken + "; server_max_window_bits=9");
}

TEST(WebSocketExtensions, AnOfferThatCannotBeMetIsPassedOver) {
  for (const char* declined : {"x-webkit-deflate-frame",
                               "permessage-deflat",
                               "permessage-deflate; unknown",
                               "permessage-deflate; unknown=1",
                               "permessage-deflate; server_no_context_takeover=1",
                               "permessage-deflate; client_no_context_takeover=x",
                               "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
                               "permessage-deflate; server_max_window_bits=10; server_max_window_bits=10",
                               "permessage-deflate; client_max_window_bits; client_max_window_bits=9",
                               "permessage-deflate; server_max_window_bits",
                               "permessage-deflate; server_max_window_bits=8",
                               "permessage-deflate; server_max_window_bits=7",
                               "permessage-deflate; server_max_window_bits=16",
                               "permessage-deflate; server_max_window_bits=010",
                               "permessage-deflate; server_max_window_bits=1",
                               "permessage-deflate; server_max_window_bits=100",
                               "permessage-deflate; server_max_window_bits=1x",
                               "permessage-deflate; server_max_window_bits=-9",
                               "permessage-deflate; client_max_window_bits=16",
                               "permessage-deflate; client_max_window_bits=08",
                               "permessage-deflate; a; b; c; d; e; f"}) {
    EXPECT_EQ(offered(declined), "") << declined;
    EXPECT_EQ(offered(declined + std::string(", permessage-deflate")), taken) << declined;
    EXPECT_EQ(offered("permessage-deflate, " + std::string(declined)), taken) << declined;
  }
}

TEST(WebSocketExtensions, TheFirstOfferThatCanBeMetCounts) {
  EXPECT_EQ(offered("permessage-deflate; server_max_window_bits=8, permessage-deflate; server_max_window_bits=11, "
                    "permessage-deflate"),
            taken + "; server_max_window_bits=11");
  EXPECT_EQ(extensions("Sec-WebSocket-Extensions: foo\r\nSec-WebSocket-Extensions: permessage-deflate\r\n"), taken);
}

TEST(WebSocketExtensions, ServerMayNotWantAny) {
  EXPECT_EQ(extensions("Sec-WebSocket-Extensions: permessage-deflate\r\n", /*offer_deflate=*/false), "");
  EXPECT_EQ(extensions("Sec-WebSocket-Extensions: =\r\n", /*offer_deflate=*/false), "400");
}

TEST(WebSocketExtensions, WhatIsNotAListOfThemIsRefused) {
  for (const char* malformed : {"",
                                " ",
                                ",",
                                "a b",
                                "a;",
                                "a;;b",
                                "a; =1",
                                "a; b=",
                                "a; b=\"",
                                "a; b=\"x",
                                "a; b=\"x\\",
                                "a; b=\"\"",
                                "a; b=\"x y\"",
                                "a; b=\"x,y\"",
                                "a; b==1",
                                "a=1",
                                "\"a\"",
                                "a; \"b\"",
                                "a/b",
                                "permessage-deflate, a;",
                                "a;, permessage-deflate",
                                "permessage-deflate; server_max_window_bits=",
                                "a; b=1 c",
                                "a; b=\"1\"2",
                                "\xc3\xa4"}) {
    EXPECT_EQ(offered(malformed), "400") << malformed;
  }
  EXPECT_EQ(extensions("Sec-WebSocket-Extensions: permessage-deflate\r\nSec-WebSocket-Extensions: ;\r\n"), "400");
  // Empty elements are none.
  EXPECT_EQ(offered(",, permessage-deflate ,"), taken);
}

}  // namespace
}  // namespace cweb::http
