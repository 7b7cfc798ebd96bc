// The framing of a chunked body, however it is cut.
#include "http/chunk_check.h"

#include <gtest/gtest.h>

#include <string>

namespace cweb::http {
namespace {

constexpr uint64_t limit = 1000;

/// 0 for a body that is whole, -1 for one that is not, else the status of its refusal. The same in pieces of any size.
int verdict(const std::string& body) {
  int whole = 0;
  for (size_t piece = body.size(); piece > 0; --piece) {
    ChunkCheck check(limit);
    int status = -1;
    for (size_t at = 0; at < body.size() && status == -1; at += piece) {
      if (const auto fault = check.look_at(std::string_view(body).substr(at, piece))) {
        status = fault->status;
        EXPECT_STRNE(fault->sentence, "");
      } else if (check.done()) {
        status = 0;
      }
    }
    if (piece == body.size()) whole = status;
    EXPECT_EQ(status, whole) << body << " in pieces of " << piece;
  }
  return whole;
}

TEST(ChunkCheckTest, AcceptsWhatTheGrammarAllows) {
  EXPECT_EQ(verdict("0\r\n\r\n"), 0);
  EXPECT_EQ(verdict("000\r\n\r\n"), 0);
  EXPECT_EQ(verdict("3\r\nabc\r\n0\r\n\r\n"), 0);
  EXPECT_EQ(verdict("a\r\n0123456789\r\nB\r\n0123456789a\r\n0\r\n\r\n"), 0);
  EXPECT_EQ(verdict("3;name=value;other=\"quoted\"\r\nabc\r\n0;last\r\n\r\n"), 0);
  EXPECT_EQ(verdict("0\r\nChecksum: 1\r\nOther:\tx\r\n\r\n"), 0);
  EXPECT_EQ(verdict(std::string("3\r\n\r\n\0\r\n0\r\n\r\n", 13)), 0) << "data may be any bytes";
}

TEST(ChunkCheckTest, DoesNotLookBehindTheEnd) {
  ChunkCheck check(limit);
  EXPECT_FALSE(check.look_at("0\r\n\r\n\n\n\n not of this body"));
  EXPECT_TRUE(check.done());
}

TEST(ChunkCheckTest, WaitsForTheRest) {
  EXPECT_EQ(verdict("3\r\nabc\r\n0\r\n\r"), -1);
  EXPECT_EQ(verdict("3\r\nab"), -1);
  EXPECT_EQ(verdict("0\r\nName: value\r\n"), -1);
}

TEST(ChunkCheckTest, RefusesSizesThatCanBeReadInTwoWays) {
  for (const char* size : {"", "x", "-1", "+3", " 3", "3 ", "\t3", "3\t", "0x3", "3h", "3.", "3,", "3 ;a=b", "\"3\""}) {
    EXPECT_EQ(verdict(std::string(size) + "\r\nabc\r\n0\r\n\r\n"), 400) << '\'' << size << '\'';
  }
  EXPECT_EQ(verdict("00000000000000003\r\nabc\r\n0\r\n\r\n"), 400) << "17 digits";
  EXPECT_EQ(verdict("10000000000000003\r\nabc\r\n0\r\n\r\n"), 400) << "2^64 + 3";
}

TEST(ChunkCheckTest, RefusesLinesThatDoNotEndInCrLf) {
  for (const char* body :
       {"3\nabc\r\n0\r\n\r\n", "3\rabc\r\n0\r\n\r\n", "3\rXabc\r\n0\r\n\r\n", "3;a\nabc\r\n0\r\n\r\n",
        "3;a\rXabc\r\n0\r\n\r\n", "3\r\nabc0\r\n\r\n", "3\r\nabc\n0\r\n\r\n", "3\r\nabcXX0\r\n\r\n",
        "3\r\nabc\rX0\r\n\r\n", "3\r\nabcd\r\n0\r\n\r\n", "0\n\n", "0\r\n\n", "0\r\n\rX", "0\r\nA: b\n\r\n",
        "0\r\nA: b\rX\r\n"}) {
    EXPECT_EQ(verdict(body), 400) << body;
  }
}

TEST(ChunkCheckTest, RefusesTrailersThatAreNoHeaders) {
  for (const char* line : {"no colon", ": no name", " folded: x", "\tfolded: x", "space : x", "A: b\r\n folded"}) {
    EXPECT_EQ(verdict("0\r\n" + std::string(line) + "\r\n\r\n"), 400) << line;
  }
  EXPECT_EQ(verdict(std::string("0\r\nA: \0\r\n\r\n", 11)), 400);
}

TEST(ChunkCheckTest, RefusesTrailersThatTellAboutFramingOrRouting) {
  for (const char* name : {"Content-Length", "TRANSFER-ENCODING", "host", "Connection", "Expect", "Upgrade"}) {
    EXPECT_EQ(verdict("0\r\n" + std::string(name) + ": 5\r\n\r\n"), 400) << name;
  }
  EXPECT_EQ(verdict("0\r\nContent-Lengths: 5\r\nX-Host: a\r\nTransfer-Encoding-And-More: x\r\n\r\n"), 0);
}

/// In one piece: cutting these at every byte would take long.
int verdict_at_once(const std::string& body) {
  ChunkCheck check(limit);
  const auto fault = check.look_at(body);
  return fault ? fault->status : check.done() ? 0 : -1;
}

TEST(ChunkCheckTest, BoundsEverythingThatIsNotData) {
  EXPECT_EQ(verdict_at_once("3;" + std::string(20'000, 'x')), 400);
  EXPECT_EQ(verdict_at_once("0\r\nA: " + std::string(20'000, 'x')), 431);
  EXPECT_EQ(verdict_at_once("0\r\n" + std::string(20'000, 'x')), 431);
  std::string small_ones;
  for (int i = 0; i < 900; ++i) small_ones += "1;" + std::string(20, 'e') + "\r\nx\r\n";
  EXPECT_EQ(verdict_at_once(small_ones), 400) << "together they are too long";
  std::string trailers = "0\r\n";
  for (int i = 0; i < 5'000; ++i) trailers += "A: b\r\n";
  EXPECT_EQ(verdict_at_once(trailers), 431);
}

TEST(ChunkCheckTest, ASizeBeyondTheLimitIsRefusedBeforeItsData) {
  EXPECT_EQ(verdict_at_once("3e8\r\n" + std::string(1000, 'x') + "\r\n0\r\n\r\n"), 0);
  EXPECT_EQ(verdict_at_once("3e9\r\n"), 413);
  EXPECT_EQ(verdict_at_once("3e8\r\n" + std::string(1000, 'x') + "\r\n1\r\n"), 413);
  EXPECT_EQ(verdict_at_once("ffffffffffffffff\r\n"), 413);
}

}  // namespace
}  // namespace cweb::http
