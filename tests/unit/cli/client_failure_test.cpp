#include "cli/client_failure.h"

#include <curl/curl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <nlohmann/json.hpp>

namespace cweb::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const ServerAddress address{.url = "http://localhost:8080"};
const ServerAddress secure{.url = "https://example.com:443", .key = "secret"};

std::string sentence(const ServerAddress& of, const CallFailure& failure) {
  const std::string text = failure_sentence(of, failure);
  EXPECT_THAT(text, AllOf(Not(HasSubstr("\n")), Not(HasSubstr("\033")), Not(HasSubstr("secret"))));
  return text;
}

TEST(CallFailureSentence, says_what_to_do) {
  EXPECT_EQ(sentence(address, {.code = CURLE_COULDNT_CONNECT, .os_error = ECONNREFUSED}),
            "no server answers at http://localhost:8080: start one with `cweb serve`, or name another with --server");
  EXPECT_THAT(sentence(address, {.code = CURLE_COULDNT_CONNECT, .os_error = EHOSTUNREACH}),
              HasSubstr("cannot be reached (No route to host)"));
  EXPECT_THAT(sentence(secure, {.code = CURLE_COULDNT_RESOLVE_HOST}), HasSubstr("the name example.com is not known"));
  EXPECT_THAT(sentence(secure, {.code = CURLE_COULDNT_RESOLVE_PROXY}), HasSubstr("https_proxy"));
  EXPECT_THAT(sentence(secure, {.code = CURLE_OPERATION_TIMEDOUT}), HasSubstr("does not answer in time"));
  EXPECT_THAT(sentence(secure, {.code = CURLE_OPERATION_TIMEDOUT, .connected = true}),
              HasSubstr("has stopped answering"));
  EXPECT_THAT(
      sentence(secure,
               {.code = CURLE_PEER_FAILED_VERIFICATION, .detail = "SSL certificate problem: self-signed certificate"}),
      AllOf(HasSubstr("not trusted (self-signed certificate)"), HasSubstr("--cacert FILE"), HasSubstr("--insecure")));
  EXPECT_THAT(
      sentence(secure, {.code = CURLE_PEER_FAILED_VERIFICATION,
                        .detail = "SSL: certificate subject name 'a' does not match target host name 'b'"}),
      AllOf(HasSubstr("name 'a' does not match"), HasSubstr("as its certificate does"), Not(HasSubstr("--cacert"))));
  EXPECT_THAT(sentence(secure, {.code = CURLE_SSL_CONNECT_ERROR, .detail = "OpenSSL: wrong version number"}),
              HasSubstr("does not speak HTTPS: use http://example.com:443"));
  EXPECT_THAT(sentence(secure, {.code = CURLE_SSL_CONNECT_ERROR, .detail = "x\033[2J"}), HasSubstr("(x?[2J)"));
  EXPECT_THAT(sentence(address, {.code = CURLE_UNSUPPORTED_PROTOCOL}), HasSubstr("use https://localhost:8080"));
  EXPECT_THAT(sentence(address, {.code = CURLE_WRITE_ERROR, .too_long = true}), HasSubstr("its answer does not end"));
}

TEST(CallFailureSentence, of_a_change_says_that_it_may_have_been_made) {
  EXPECT_THAT(sentence(address, {.code = CURLE_PARTIAL_FILE, .answer_began = true}),
              AllOf(HasSubstr("ended in the middle of the answer"), Not(HasSubstr("whether it was done"))));
  EXPECT_THAT(sentence(address, {.code = CURLE_GOT_NOTHING, .changes_something = true}),
              AllOf(HasSubstr("was closed without an answer"), HasSubstr("whether it was done is not known")));
}

std::string refusal(const HttpAnswer& answer, const ServerAddress& of = address) {
  return refusal_sentence(of, answer).value_or("");
}

TEST(RefusalSentence, says_what_to_do) {
  const auto json = [](int status, const char* error) {
    return HttpAnswer{
        .status = status, .content_type = "application/json", .body = std::string(R"({"error":")") + error + "\"}"};
  };
  EXPECT_THAT(refusal(json(401, "")),
              AllOf(HasSubstr("needs the admin key"), HasSubstr("cweb login --server http://localhost:8080"),
                    HasSubstr("CWEB_ADMIN_KEY"), HasSubstr("--key")));
  EXPECT_THAT(refusal(json(401, ""), secure), HasSubstr("the key is not the admin key of https://example.com:443"));
  EXPECT_THAT(refusal(json(403, "the read key may list")), HasSubstr("(the read key may list)"));
  EXPECT_THAT(refusal(json(429, "try again in 5 s")), HasSubstr("too many wrong keys from here: wait"));
  EXPECT_THAT(refusal(json(503, "shutting down")), HasSubstr("try again (shutting down)"));
  EXPECT_EQ(refusal(json(404, "no such")), "");
  EXPECT_EQ(refusal(json(422, "wrong")), "");
}

TEST(RefusalSentence, tells_where_a_redirect_leads_and_does_not_follow_it) {
  EXPECT_THAT(refusal({.status = 308, .location = "https://localhost:8443/mgnt"}),
              HasSubstr("sends on to https://localhost:8443, "));
  EXPECT_THAT(refusal({.status = 302, .location = "https://x\033[2J/login"}), Not(HasSubstr("\033")));
  EXPECT_THAT(refusal({.status = 304}), HasSubstr("sends on to elsewhere"));
}

TEST(RefusalSentence, knows_a_port_that_speaks_https_alone) {
  EXPECT_THAT(refusal({.status = 400, .content_type = "text/plain", .body = "this port speaks HTTPS\n"}),
              HasSubstr("speaks HTTPS alone: use https://localhost:8080"));
}

TEST(AnswerOfSomethingElse, is_not_cweb_s) {
  const auto fault = [](const HttpAnswer& answer) {
    const auto json = json_of_answer(address, answer);
    EXPECT_FALSE(json);
    return json ? "" : json.error().message;
  };
  for (const HttpAnswer& answer : {HttpAnswer{.status = 200, .content_type = "text/html", .body = "<html>"},
                                   HttpAnswer{.status = 200, .content_type = "application/json", .body = "{\"a\":"},
                                   HttpAnswer{.status = 200, .content_type = "application/json", .body = "[1]"},
                                   HttpAnswer{.status = 401, .content_type = "text/html", .body = "log in"},
                                   HttpAnswer{.status = 404, .content_type = "text/plain", .body = "no\033[2J\n"}}) {
    EXPECT_THAT(fault(answer),
                AllOf(HasSubstr("what answers at http://localhost:8080 is not cweb"), Not(HasSubstr("\033"))));
  }
}

TEST(ParseJson, takes_what_cweb_says_and_nothing_that_is_nested_without_end) {
  EXPECT_EQ(parse_json(R"({"a":[{"b":[1]}]})")["a"][0]["b"][0], 1);
  EXPECT_TRUE(parse_json("{").is_discarded());
  EXPECT_TRUE(parse_json(std::string(1'000'000, '[')).is_discarded());
  EXPECT_TRUE(parse_json(std::string(100, '[') + std::string(100, ']')).is_discarded());
}

}  // namespace
}  // namespace cweb::cli
