// A request means the same however the network cuts it into pieces.
#include "http/request_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "wire_corpus.h"

namespace cweb::http {
namespace {

using Step = RequestReader::Step;

/// What came out of a reader, with the bytes copied.
struct Seen {
  std::string method, target, body;
  std::vector<std::pair<std::string, std::string>> headers;
  bool keep_alive = false;
  bool operator==(const Seen&) const = default;
};

struct Outcome {
  std::vector<Seen> requests;
  int rejected_with = 0;
  bool operator==(const Outcome&) const = default;
};

void feed(RequestReader& reader, std::string_view bytes) {
  while (!bytes.empty()) {
    const std::span<char> room = reader.room();
    const size_t count = std::min(room.size(), bytes.size());
    std::memcpy(room.data(), bytes.data(), count);
    reader.committed(count);
    bytes.remove_prefix(count);
  }
}

Seen look_at(RequestReader& reader) {
  Seen seen;
  seen.method = reader.method();
  seen.target = reader.target();
  seen.body.assign(reader.body().data(), reader.body().size());
  EXPECT_EQ(reader.body().data()[reader.body().size()], '\0') << "a body ends in a NUL that is not counted";
  for (const HeaderPiece& header : reader.headers()) {
    seen.headers.emplace_back(reader.view(header.name), reader.view(header.value));
  }
  seen.keep_alive = reader.keep_alive();
  return seen;
}

/// Reads `bytes`, arriving `piece` at a time, to the end or to the first rejection.
Outcome read_all(std::string_view bytes, size_t piece, size_t body_limit = 1000) {
  RequestReader reader(RequestLimits{});
  Outcome outcome;
  for (;;) {
    switch (reader.advance()) {
      case Step::need_more:
        if (bytes.empty()) return outcome;
        feed(reader, bytes.substr(0, piece));
        bytes.remove_prefix(std::min(piece, bytes.size()));
        break;
      case Step::head:
        if (!reader.admit_body(body_limit)) {
          outcome.rejected_with = 413;
          return outcome;
        }
        break;
      case Step::complete:
        outcome.requests.push_back(look_at(reader));
        reader.next();
        break;
      case Step::rejected:
        outcome.rejected_with = reader.rejection().status;
        return outcome;
    }
  }
}

Outcome read_whole(std::string_view bytes) {
  return read_all(bytes, bytes.size());
}

const std::string get = "GET / HTTP/1.1\r\nHost: h\r\n";
const std::string post = "POST / HTTP/1.1\r\nHost: h\r\n";

constexpr std::string_view three_requests =
    "POST /a?x=1 HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nX-Empty:\r\nX-Spaces:   v  \r\n\r\nhello"
    "GET /b HTTP/1.1\r\nHost: h\r\n\r\n"
    "POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3;ext=1\r\nabc\r\n4\r\ndefg\r\n0\r\nTrailer: "
    "t\r\n\r\n";

TEST(RequestReader, AnEmptyValueLiesInItsOwnLine) {
  // Whoever puts a NUL behind it would otherwise end the name below.
  RequestReader reader(RequestLimits{});
  feed(reader, "GET / HTTP/1.1\r\nHost: h\r\nA:\r\nB: \t\r\nC: c\r\n\r\n");
  ASSERT_EQ(reader.advance(), Step::head);
  const auto headers = reader.headers();
  ASSERT_EQ(headers.size(), 4U);
  for (size_t i = 0; i + 1 < headers.size(); ++i) {
    EXPECT_LT(headers[i].value.offset + headers[i].value.length, headers[i + 1].name.offset) << i;
  }
}

TEST(RequestReader, ReadsPipelinedRequestsInOrder) {
  const Outcome outcome = read_whole(three_requests);
  ASSERT_EQ(outcome.rejected_with, 0);
  ASSERT_EQ(outcome.requests.size(), 3U);
  EXPECT_EQ(outcome.requests[0].method, "POST");
  EXPECT_EQ(outcome.requests[0].target, "/a?x=1");
  EXPECT_EQ(outcome.requests[0].body, "hello");
  EXPECT_THAT(outcome.requests[0].headers, testing::Contains(std::pair<std::string, std::string>("X-Empty", "")));
  EXPECT_THAT(outcome.requests[0].headers, testing::Contains(std::pair<std::string, std::string>("X-Spaces", "v")));
  EXPECT_EQ(outcome.requests[1].target, "/b");
  EXPECT_EQ(outcome.requests[1].body, "");
  EXPECT_EQ(outcome.requests[2].body, "abcdefg");
}

TEST(RequestReader, PiecesMakeNoDifference) {
  const Outcome whole = read_whole(three_requests);
  for (size_t piece = 1; piece < three_requests.size(); ++piece) {
    EXPECT_EQ(read_all(three_requests, piece), whole) << "in pieces of " << piece;
  }
}

TEST(RequestReader, ABodyMayHoldAnyByteAndGrowTheBuffer) {
  std::string body(100'000, '\0');
  for (size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 7);
  const std::string request =
      "PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n" + body + "GET /y HTTP/1.1\r\nHost: h\r\n\r\n";
  const Outcome outcome = read_all(request, 4096, 200'000);
  ASSERT_EQ(outcome.requests.size(), 2U);
  EXPECT_EQ(outcome.requests[0].body, body);
  EXPECT_EQ(outcome.requests[1].target, "/y");
}

TEST(RequestReader, AbsoluteTargetsBecomeOriginForm) {
  const auto target_of = [](const std::string& target) {
    const Outcome outcome = read_whole("GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n");
    return outcome.requests.empty() ? "rejected" : outcome.requests[0].target;
  };
  EXPECT_EQ(target_of("http://h/a/b?c=d"), "/a/b?c=d");
  EXPECT_EQ(target_of("http://h"), "/");
  EXPECT_EQ(target_of("http://h?q=1"), "/?q=1");
  EXPECT_EQ(target_of("/plain?u=http://x/"), "/plain?u=http://x/");
}

TEST(RequestReader, SomeEmptyLinesMayStandBeforeARequest) {
  const std::string request = "\r\n\r\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n";
  for (size_t piece = 1; piece <= request.size(); ++piece) {
    const Outcome outcome = read_all(request, piece);
    ASSERT_EQ(outcome.requests.size(), 2U) << "in pieces of " << piece;
    EXPECT_EQ(outcome.requests[1].target, "/b");
  }
}

TEST(RequestReader, TrailersAreNotHeaders) {
  const Outcome outcome = read_whole(
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-User: root\r\nX-Other:\r\n\r\n");
  ASSERT_EQ(outcome.requests.size(), 1U);
  EXPECT_EQ(outcome.requests[0].headers.size(), 2U);
}

TEST(RequestReader, AHostInTheTargetMayDifferInCaseOnly) {
  EXPECT_EQ(read_whole("GET HTTP://Example:80/a HTTP/1.1\r\nHost: eXAMPLE:80\r\n\r\n").requests.size(), 1U);
  EXPECT_EQ(read_whole("GET http://h/a HTTP/1.0\r\n\r\n").requests.size(), 1U);
}

TEST(RequestReader, NothingGrowsWithoutBound) {
  const auto status_of = [](const std::string& begin, const std::string& repeated, size_t times) {
    std::string request = begin;
    for (size_t i = 0; i < times; ++i) request += repeated;
    return read_all(request, 4096).rejected_with;
  };
  EXPECT_EQ(status_of("", "\r\n", 100), 400);
  EXPECT_EQ(status_of(get + "X:", " ", 100'000), 431) << "white space before a value is no part of it";
  EXPECT_EQ(status_of(get + "X: a", " ", 100'000), 431);
  EXPECT_EQ(status_of(get, "X", 100'000), 431);
  EXPECT_EQ(status_of("GET /", "a", 100'000), 414);
  EXPECT_EQ(status_of(post + "Transfer-Encoding: chunked\r\n\r\n", "1;abcdefghijklmnopqrstuvwxyz\r\nx\r\n", 900), 400);
  EXPECT_EQ(status_of(post + "Transfer-Encoding: chunked\r\n\r\n0\r\n", "A: b\r\n", 20'000), 431);
}

TEST(RequestReader, KeepAliveFollowsVersionAndConnection) {
  const auto keeps = [](const std::string& version, const std::string& header) {
    const Outcome outcome = read_whole("GET / HTTP/" + version + "\r\nHost: h\r\n" + header + "\r\n");
    return outcome.requests.size() == 1 && outcome.requests[0].keep_alive;
  };
  EXPECT_TRUE(keeps("1.1", ""));
  EXPECT_FALSE(keeps("1.1", "Connection: close\r\n"));
  EXPECT_FALSE(keeps("1.0", ""));
  EXPECT_TRUE(keeps("1.0", "Connection: keep-alive\r\n"));
}

TEST(RequestReader, BoundsHaveTheirOwnStatus) {
  EXPECT_EQ(read_whole("GET /" + std::string(9000, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n").rejected_with, 414);
  EXPECT_EQ(read_whole("GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(70'000, 'a') + "\r\n\r\n").rejected_with, 431);
  std::string many = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (int i = 0; i < 600; ++i) many += "a: b\r\n";
  EXPECT_EQ(read_whole(many + "\r\n").rejected_with, 431);
  EXPECT_EQ(read_whole("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n").rejected_with, 413);
  const std::string chunks = "3e8\r\n" + std::string(1000, 'x') + "\r\n1\r\ny\r\n0\r\n\r\n";
  EXPECT_EQ(read_whole("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks).rejected_with, 413);
}

TEST(RequestReader, TheCorpusIsReadTheSameInPiecesOfAnySize) {
  for (const tests::WireCase& wire_case : tests::wire_corpus()) {
    const std::string bytes = wire_case.bytes + "GET /behind HTTP/1.1\r\nHost: h\r\n\r\n";
    for (const size_t piece : {size_t{1}, size_t{2}, size_t{5}, size_t{16}, bytes.size()}) {
      const Outcome outcome = read_all(bytes, piece);
      if (wire_case.served()) {
        EXPECT_EQ(outcome.rejected_with, 0) << wire_case.name << " in pieces of " << piece;
        ASSERT_EQ(outcome.requests.size(), 2U) << wire_case.name << " in pieces of " << piece;
        EXPECT_EQ(outcome.requests[1].target, "/behind") << wire_case.name;
      } else {
        EXPECT_EQ(outcome.rejected_with, wire_case.status) << wire_case.name << " in pieces of " << piece;
        EXPECT_TRUE(outcome.requests.empty()) << wire_case.name;
      }
    }
  }
}

TEST(RequestReader, KnownFieldsAreTheSameBehindAnyRequestLine) {
  const std::string fields = "Host: h\r\nAccept: */*\r\nX-Empty:\r\nX-Spaces:   v \t \r\n\r\n";
  const std::string stream = "GET /a HTTP/1.1\r\n" + fields + "\r\nGET /a/longer?x=1 HTTP/1.1\r\n" + fields +
                             "HEAD /c HTTP/1.1\r\n" + fields + "GET /d HTTP/1.1\r\n" + fields;
  const Outcome outcome = read_whole(stream);
  ASSERT_EQ(outcome.requests.size(), 4U);
  EXPECT_EQ(outcome.requests[1].target, "/a/longer?x=1");
  for (const Seen& seen : outcome.requests) EXPECT_EQ(seen.headers, outcome.requests[0].headers) << seen.target;
  EXPECT_EQ(outcome, read_all(stream, 1)) << "byte by byte no field is known";
}

TEST(RequestReader, KnownFieldsStayTheBlockOfOneRequest) {
  const std::string known = "GET /a HTTP/1.1\r\nHost: h\r\nX: 1\r\n\r\n";
  const auto second = [&](const std::string& request) {
    const Outcome outcome = read_whole(known + request);
    EXPECT_EQ(outcome, read_all(known + request, 1)) << request;
    return outcome.requests.size() > 1 ? outcome.requests[1] : Seen{};
  };
  EXPECT_EQ(second("GET /b HTTP/1.1\r\nHost: h\r\nX: 2\r\n\r\n").headers[1].second, "2");
  EXPECT_EQ(second("GET /b HTTP/1.1\r\nHost: h\r\n\r\n").headers.size(), 1U);
  EXPECT_EQ(second("GET /b HTTP/1.1\r\nHost: h\r\nX: 1\r\nY: 2\r\n\r\n").headers.size(), 3U);
  EXPECT_EQ(second("GET /b HTTP/1.1\r\nHost: h\r\nX: 1\r\nContent-Length: 2\r\n\r\nhi").body, "hi");
  EXPECT_FALSE(second("GET /b HTTP/1.0\r\nHost: h\r\nX: 1\r\n\r\n").keep_alive);
  for (const std::string line :
       {"GET /b HTTP/1.2", "GET /b#c HTTP/1.1", "GET  /b HTTP/1.1", "GET /b  HTTP/1.1", "GET /b", "GET /b HTTP/1.1 ",
        "GET /b HTTP/1.1\r", "GET /\x01 HTTP/1.1", "GET http://g/b HTTP/1.1", "TRACE /b HTTP/1.1", "GET /b HTTP/1.1\n",
        "GET /b\rHTTP/1.1", "GET /b RTSP/1.1"}) {
    EXPECT_EQ(second(line + "\r\nHost: h\r\nX: 1\r\n\r\n").target, "") << line;
  }
  EXPECT_EQ(read_whole(known + "GET /" + std::string(9000, 'a') + " HTTP/1.1\r\nHost: h\r\nX: 1\r\n\r\n").rejected_with,
            414);
}

TEST(RequestReader, TheCorpusIsReadTheSameBehindItsOwnFields) {
  for (const tests::WireCase& wire_case : tests::wire_corpus()) {
    const size_t line_end = wire_case.bytes.find('\n');
    if (line_end == std::string::npos) continue;
    const std::string first = "GET /first HTTP/1.1\r\n" + wire_case.bytes.substr(line_end + 1);
    const std::string stream = first + wire_case.bytes + "GET /behind HTTP/1.1\r\nHost: h\r\n\r\n";
    const Outcome whole = read_whole(stream);
    const Outcome bytewise = read_all(stream, 1);
    EXPECT_EQ(whole.requests, bytewise.requests) << wire_case.name;
    EXPECT_EQ(whole.rejected_with, bytewise.rejected_with) << wire_case.name;
  }
}

struct Refused {
  const char* name;
  std::string request;
  int status = 400;
};

class RefusedRequest : public testing::TestWithParam<Refused> {};

TEST_P(RefusedRequest, IsNeverGuessedAt) {
  for (const size_t piece : {size_t{1}, size_t{7}, GetParam().request.size()}) {
    const Outcome outcome = read_all(GetParam().request, piece);
    EXPECT_EQ(outcome.rejected_with, GetParam().status) << "in pieces of " << piece;
    EXPECT_TRUE(outcome.requests.empty());
  }
}

INSTANTIATE_TEST_SUITE_P(
    RequestReader, RefusedRequest,
    testing::Values(
        Refused{"length_with_coding",
                "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"},
        Refused{"coding_with_length",
                "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n"},
        Refused{"two_lengths", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"},
        Refused{"signed_length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +3\r\n\r\nabc"},
        Refused{"huge_length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n"},
        Refused{"not_chunked_last", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n"},
        Refused{"bad_chunk_size", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"},
        Refused{"bare_lf", "GET / HTTP/1.1\nHost: h\n\n"}, Refused{"folded_header", get + "X: a\r\n b\r\n\r\n"},
        Refused{"space_before_colon", "GET / HTTP/1.1\r\nHost : h\r\n\r\n"},
        Refused{"nul_in_value", get + std::string("X: a\0b\r\n\r\n", 10)},
        Refused{"no_host", "GET / HTTP/1.1\r\nX: y\r\n\r\n"}, Refused{"two_hosts", get + "Host: i\r\n\r\n"},
        Refused{"two_spaces", "GET  / HTTP/1.1\r\nHost: h\r\n\r\n"},
        Refused{"garbage", "\x16\x03\x01\x02 what is this\r\n\r\n"},
        Refused{"version_two", "GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505},
        Refused{"version_one_two", "GET / HTTP/1.2\r\nHost: h\r\n\r\n", 505},
        Refused{"version_two_preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
        Refused{"version_zero_nine", "GET /\r\n\r\n"}, Refused{"rtsp", "OPTIONS / RTSP/1.0\r\nHost: h\r\n\r\n"},
        Refused{"unknown_method", "FROB / HTTP/1.1\r\nHost: h\r\n\r\n", 501},
        Refused{"trace", "TRACE / HTTP/1.1\r\nHost: h\r\n\r\n", 501},
        Refused{"connect", "CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n", 501},
        Refused{"unknown_expectation", get + "Expect: miracles\r\n\r\n", 417},
        Refused{"target_that_is_a_name", "GET index.html HTTP/1.1\r\nHost: h\r\n\r\n"},
        Refused{"star_for_get", "GET * HTTP/1.1\r\nHost: h\r\n\r\n"},
        Refused{"other_scheme", "GET ftp://h/ HTTP/1.1\r\nHost: h\r\n\r\n"},
        Refused{"target_with_user", "GET http://user@h/ HTTP/1.1\r\nHost: h\r\n\r\n"},
        Refused{"target_with_another_host", "GET http://g/ HTTP/1.1\r\nHost: h\r\n\r\n"},
        Refused{"bad_host", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"},
        Refused{"coding_in_1_0", "POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"},
        Refused{"same_length_twice", post + "Content-Length: 3\r\nContent-Length: 3\r\n\r\n"},
        Refused{"length_list", post + "Content-Length: 3, 3\r\n\r\n"},
        Refused{"empty_length", post + "Content-Length:\r\n\r\n"},
        Refused{"chunked_twice", post + "Transfer-Encoding: chunked, chunked\r\n\r\n"},
        Refused{"chunked_in_two_headers", post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"},
        Refused{"compressed_chunks", post + "Transfer-Encoding: gzip, chunked\r\n\r\n"},
        Refused{"size_line_without_lf", post + "Transfer-Encoding: chunked\r\n\r\n3\rXabc\r\n0\r\n\r\n"},
        Refused{"data_without_line_end", post + "Transfer-Encoding: chunked\r\n\r\n3\r\nabcXX0\r\n\r\n"},
        Refused{"length_as_trailer", post + "Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 3\r\n\r\n"},
        Refused{"bare_lf_first", "\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"},
        Refused{"bare_cr_first", "\rGET / HTTP/1.1\r\nHost: h\r\n\r\n"},
        Refused{"nine_empty_lines", "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace cweb::http
