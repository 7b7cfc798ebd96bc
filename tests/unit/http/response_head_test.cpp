#include "http/response_head.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/date.h"
#include "http/status.h"

namespace cweb::http {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string head(const ResponseHead& wanted) {
  std::string out;
  begin_head(out, wanted);
  end_head(out);
  return out;
}

TEST(ResponseHeadTest, HasStatusLineDateAndLength) {
  const std::string text = head({.status = 200, .content_length = 12});
  EXPECT_THAT(text, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(text, HasSubstr("\r\nContent-Length: 12\r\n"));
  EXPECT_THAT(text, HasSubstr("\r\nDate: "));
  EXPECT_THAT(text, testing::EndsWith("\r\n\r\n"));
  EXPECT_THAT(text, Not(HasSubstr("Connection"))) << "keeping the connection is HTTP/1.1's default";
}

TEST(ResponseHeadTest, AConnectionThatEndsIsAnnounced) {
  EXPECT_THAT(head({.keep_alive = false}), HasSubstr("Connection: close\r\n"));
}

TEST(ResponseHeadTest, Http10PeersAreToldThatTheConnectionStays) {
  EXPECT_THAT(head({.keep_alive = true, .http10 = true}), HasSubstr("Connection: keep-alive\r\n"));
}

TEST(ResponseHeadTest, AnAnswerThatGoesOnComesInChunksOrUntilTheConnectionEnds) {
  std::string out;
  begin_stream_head(out, {.keep_alive = false});
  EXPECT_THAT(out, StartsWith("HTTP/1.1 200 OK\r\nDate: "));
  EXPECT_THAT(out, testing::EndsWith("\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n"));
  EXPECT_THAT(out, Not(HasSubstr("Content-Length")));
  out.clear();
  begin_stream_head(out, {.keep_alive = false, .http10 = true});
  EXPECT_THAT(out, Not(HasSubstr("Transfer-Encoding")));
  out.clear();
  append_chunk(out, std::string(26, 'x'));
  out.append(last_chunk);
  EXPECT_EQ(out, "1a\r\n" + std::string(26, 'x') + "\r\n0\r\n\r\n");
}

TEST(ResponseHeadTest, AnswersWithoutContentHaveNoLength) {
  EXPECT_THAT(head({.status = 204}), Not(HasSubstr("Content-Length")));
  EXPECT_THAT(head({.status = 304}), Not(HasSubstr("Content-Length")));
}

TEST(ResponseHeadTest, StatusWithoutANameIsSentAllTheSame) {
  EXPECT_THAT(head({.status = 418}), StartsWith("HTTP/1.1 418 "));
  EXPECT_THAT(head({.status = 599}), StartsWith("HTTP/1.1 599 "));
}

TEST(ResponseHeadTest, PlainAnswerToHeadHasTheLengthAndNoBody) {
  std::string with_body, without;
  append_plain_answer(with_body, {.status = 404}, "no such thing", false);
  append_plain_answer(without, {.status = 404}, "no such thing", true);
  EXPECT_THAT(with_body, StartsWith(without));
  EXPECT_EQ(with_body.substr(without.size()), "no such thing\n");
  EXPECT_THAT(without, HasSubstr("Content-Length: 14\r\n"));
}

TEST(OutputBufferTest, TakesFromTheFront) {
  OutputBuffer out;
  EXPECT_TRUE(out.empty());
  out.append("hello");
  out.sent(2);
  EXPECT_EQ(std::string(out.pending().data(), out.pending().size()), "llo");
  out.append("!");
  EXPECT_EQ(std::string(out.pending().data(), out.pending().size()), "llo!");
  out.sent(4);
  EXPECT_TRUE(out.empty());
}

TEST(DateTest, IsAnImfFixdate) {
  EXPECT_THAT(std::string(date_now()),
              testing::MatchesRegex("[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT"));
}

TEST(StatusTest, KnowsReasonsAndWhatHasNoContent) {
  EXPECT_EQ(reason_phrase(404), "Not Found");
  EXPECT_EQ(reason_phrase(413), "Content Too Large");
  EXPECT_FALSE(reason_phrase(799).empty());
  EXPECT_TRUE(forbids_content(204));
  EXPECT_FALSE(forbids_content(200));
}

TEST(ResponseHeadTest, an_answer_can_be_measured_by_who_did_not_make_it) {
  std::string out = "what was there before";
  const size_t start = out.size();
  append_plain_answer(out, {.status = 404, .keep_alive = true}, "nothing is here", /*head_only=*/false);
  EXPECT_EQ(status_digit(out, start), 4);
  const AnswerMeasures whole = measure_answer(std::string_view(out).substr(start));
  EXPECT_EQ(whole.status, 404);
  EXPECT_EQ(whole.body_bytes, std::string_view("nothing is here\n").size());

  std::string head;
  append_plain_answer(head, {.status = 999, .keep_alive = false}, "nothing is here", /*head_only=*/true);
  EXPECT_EQ(measure_answer(head).status, 999);
  EXPECT_EQ(measure_answer(head).body_bytes, 0U);
}

}  // namespace
}  // namespace cweb::http
