// Each byte in each place of a head: what is let through is what RFC 9110 allows there.
#include "http/head_check.h"

#include <gtest/gtest.h>

#include <string>

namespace cweb::http {
namespace {

bool is_clean(const std::string& head) {
  return head_fault(head) == nullptr;
}

/// A head with this one byte in its middle.
std::string around(const std::string& before, int byte, const std::string& behind) {
  return before + static_cast<char>(byte) + behind;
}

TEST(HeadCheckTest, AHeadersNameIsAToken) {
  const std::string others = "!#$%&'*+-.^_`|~";
  for (int byte = 0; byte < 256; ++byte) {
    const bool is_token = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
                          (byte >= 'A' && byte <= 'Z') ||
                          (byte > 0 && others.find(static_cast<char>(byte)) != std::string::npos);
    if (byte == ':') continue;  // the value begins earlier, which is another header
    EXPECT_EQ(is_clean(around("GET / HTTP/1.1\r\nX", byte, "Y: v\r\n\r\n")), is_token) << byte;
  }
}

TEST(HeadCheckTest, AValueHasNoControlCharactersButTab) {
  // At each of the places that a word of eight bytes has, with and without a byte above ASCII or a tab beside it.
  for (const std::string before : {"", "1", "22", "333", "4444", "55555", "666666", "\xff", "\t"}) {
    for (int byte = 0; byte < 256; ++byte) {
      const bool is_control = (byte < 0x20 && byte != '\t') || byte == 0x7f;
      EXPECT_EQ(is_clean(around("GET / HTTP/1.1\r\nX: a" + before, byte, "b\r\n\r\n")), !is_control) << byte;
      EXPECT_EQ(is_clean(around("GET / HTTP/1.1\r\nX: a" + before, byte, "and more behind\r\n\r\n")), !is_control)
          << byte;
    }
  }
}

TEST(HeadCheckTest, ATargetHasNoWhiteSpaceControlCharacterOrFragment) {
  for (int byte = 0; byte < 256; ++byte) {
    const bool bad = byte <= 0x20 || byte == 0x7f || byte == '#';
    EXPECT_EQ(is_clean(around("GET /a", byte, "b HTTP/1.1\r\n\r\n")), !bad) << byte;
  }
}

TEST(HeadCheckTest, TheRequestLineHasThreePartsAndAVersionThatIsSpokenHere) {
  EXPECT_TRUE(is_clean("GET / HTTP/1.1\r\n\r\n"));
  EXPECT_TRUE(is_clean("GET / HTTP/1.0\r\n\r\n"));
  for (const char* line :
       {"GET  / HTTP/1.1", "GET /  HTTP/1.1", " GET / HTTP/1.1", "GET / HTTP/1.1 ", "GET\t/ HTTP/1.1", "GET /",
        "GET / ", "GET", "GET / HTTP/1.2", "GET / http/1.1", "GET / HTTP/1.10", "GET / HTTP/01.1", "GET / HTTP/1,1",
        "OPTIONS / RTSP/1.0", "GET / ICE/1.0", "GET / X/1.1"}) {
    EXPECT_FALSE(is_clean(std::string(line) + "\r\n\r\n")) << line;
  }
}

TEST(HeadCheckTest, EveryLineEndsInCrLf) {
  for (const char* head :
       {"GET / HTTP/1.1\nA: b\r\n\r\n", "GET / HTTP/1.1\r\nA: b\n\r\n", "GET / HTTP/1.1\r\nA: b\r\n\n",
        "GET / HTTP/1.1\rA: b\r\n\r\n", "GET / HTTP/1.1\r\nA: b\rC: d\r\n\r\n", "GET / HTTP/1.1\r\nA: b\r\r\n\r\n",
        "GET / HTTP/1.1\r\r\nA: b\r\n\r\n", "GET / HTTP/1.1\r\nA: b\n\rC: d\r\n\r\n"}) {
    EXPECT_FALSE(is_clean(head)) << head;
  }
}

TEST(HeadCheckTest, AHeaderLineIsNameColonValue) {
  for (const char* line :
       {"no colon", ": no name", " A: b", "\tA: b", "A : b", "A\t: b", "A b: c", ":", "=", "A\"b: c"}) {
    EXPECT_FALSE(is_clean("GET / HTTP/1.1\r\n" + std::string(line) + "\r\n\r\n")) << line;
    EXPECT_FALSE(is_clean("GET / HTTP/1.1\r\nHost: h\r\n" + std::string(line) + "\r\n\r\n")) << line;
  }
  for (const char* line : {"A:", "A: ", "A:b", "A: b: c", "A:\tb\t", "A: \xc3\xa4"}) {
    EXPECT_TRUE(is_clean("GET / HTTP/1.1\r\n" + std::string(line) + "\r\n\r\n")) << line;
  }
}

}  // namespace
}  // namespace cweb::http
