// HTTP/1.1 as a client meets it on the wire, however its bytes are cut.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "deploying.h"
#include "raw_client.h"
#include "server_process.h"

namespace cweb::e2e {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr size_t big_bytes = size_t{8} << 20;

/// What the tests of this file talk to.
constexpr const char* wire_module = R"(#include <cweb.h>

/* The body as it came. */
static int echo(struct http_request *req, struct http_response *res) {
    char *copy = malloc((size_t)req->content_length + 1);
    memcpy(copy, req->body, (size_t)req->content_length + 1);
    res->body = copy;
    res->content_length = req->content_length;
    map_insert(res->headers, "Content-Type", "application/octet-stream");
    return 0;
}

static size_t list(char *to, size_t room, const char *what, const struct map *map) {
    size_t used = 0;
    for (size_t i = 0; i < map->size && used < room; ++i)
        used += (size_t)snprintf(to + used, room - used, "%s %s=%s\n", what, map->entries[i].key,
                                 (const char *)map->entries[i].value);
    return used < room ? used : room;
}

/* Everything that a handler is told. */
static int describe(struct http_request *req, struct http_response *res) {
    size_t used = (size_t)snprintf(res->body, HTTP_RESPONSE_SIZE, "method %s\npath %s\nlength %d\n",
                                   http_methods[req->method], req->path, req->content_length);
    used += list(res->body + used, HTTP_RESPONSE_SIZE - used, "param", req->params);
    used += list(res->body + used, HTTP_RESPONSE_SIZE - used, "data", req->data);
    const char *tag = map_get(req->headers, "x-tag");
    snprintf(res->body + used, HTTP_RESPONSE_SIZE - used, "tag %s\n", tag ? tag : "none");
    return 0;
}

static int big(struct http_request *req, struct http_response *res) {
    res->body = malloc(@BIG@);
    for (size_t i = 0; i < @BIG@; ++i) res->body[i] = (char)('a' + i % 26);
    res->content_length = @BIG@;
    return 0;
}

static int teapot(struct http_request *req, struct http_response *res) {
    res->status = 418;
    map_insert(res->headers, "X-Kind", "short and stout");
    return 0;
}

static int split(struct http_request *req, struct http_response *res) {
    map_insert(res->headers, "X-Name", "a\r\nX-Injected: yes");
    return 0;
}

export module_t config = {
    .name = "wire",
    .author = "the tests",
    .routes = {
        {"/echo", "POST", echo, NONE},
        {"/describe", "GET", describe, NONE},
        {"/describe", "POST", describe, NONE},
        {"/big", "GET", big, NONE},
        {"/teapot", "GET", teapot, NONE},
        {"/split", "GET", split, NONE},
    },
    .size = 6,
};
)";

class HttpTest : public testing::Test {
 protected:
  void SetUp() override {
    const DeployAnswer answer = deploy(port(), fill_in(wire_module, {{"BIG", std::to_string(big_bytes)}}));
    ASSERT_TRUE(answer.deployed()) << answer;
  }
  uint16_t port() const { return server_.port(); }

  /// Whatever a test did to its own connection, others are served.
  void TearDown() override { EXPECT_EQ(RawClient(port()).exchange(get_request("/describe")).status, 200); }

  ServerProcess server_;
};

std::string all_bytes(size_t length) {
  std::string bytes(length, '\0');
  for (size_t i = 0; i < length; ++i) bytes[i] = static_cast<char>((i * 7 + i / 256) % 256);
  return bytes;
}

TEST_F(HttpTest, a_connection_serves_one_request_after_the_other) {
  RawClient client(port());
  for (int i = 0; i < 3; ++i) {
    const RawResponse response = client.exchange(get_request("/describe?i=" + std::to_string(i)));
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.version, "HTTP/1.1");
    EXPECT_EQ(response.reason, "OK");
    EXPECT_EQ(response.header("Connection"), "") << "keep-alive is HTTP/1.1's default";
    EXPECT_NE(response.header("Date"), "");
    EXPECT_EQ(response.header("Content-Type"), "text/html; charset=utf-8");
    EXPECT_THAT(response.body, HasSubstr("param i=" + std::to_string(i) + "\n"));
  }
}

TEST_F(HttpTest, connection_close_is_answered_and_obeyed) {
  RawClient client(port());
  const RawResponse response = client.exchange(get_request("/describe", "Connection: close\r\n"));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.header("connection"), "close");
  EXPECT_TRUE(client.ends());
}

TEST_F(HttpTest, sixteen_requests_in_one_write_get_sixteen_answers_in_order) {
  RawClient client(port());
  std::string requests;
  for (int i = 0; i < 16; ++i) {
    requests += i % 2 == 0 ? get_request("/describe?i=" + std::to_string(i))
                           : request_with_body("POST", "/describe?i=" + std::to_string(i), "some body");
  }
  ASSERT_TRUE(client.send(requests));
  for (int i = 0; i < 16; ++i) {
    const RawResponse response = client.read_response();
    EXPECT_EQ(response.status, 200);
    EXPECT_THAT(response.body, HasSubstr("param i=" + std::to_string(i) + "\n"));
    EXPECT_THAT(response.body, HasSubstr(i % 2 == 0 ? "length 0\n" : "length 9\n"));
  }
}

TEST_F(HttpTest, management_and_module_requests_in_one_write_are_answered_in_order) {
  RawClient client(port());
  ASSERT_TRUE(client.send(get_request("/describe?i=1") + get_request("/mgnt/health") + get_request("/describe?i=2")));
  EXPECT_THAT(client.read_response().body, HasSubstr("param i=1\n"));
  EXPECT_EQ(client.read_response().body, "ok\n");
  EXPECT_THAT(client.read_response().body, HasSubstr("param i=2\n"));
}

TEST_F(HttpTest, a_request_may_be_split_at_any_byte) {
  RawClient client(port());
  const std::string request = request_with_body("POST", "/describe?name=a%20b", "one=1&two=2",
                                                "X-Tag: split\r\nContent-Type: application/x-www-form-urlencoded\r\n");
  for (size_t at = 1; at < request.size(); ++at) {
    ASSERT_TRUE(client.send_in_segments(request, at)) << "in segments of " << at << " bytes";
    const RawResponse response = client.read_response();
    ASSERT_EQ(response.status, 200) << "in segments of " << at << " bytes";
    ASSERT_THAT(response.body, HasSubstr("param name=a b\ndata one=1\ndata two=2\ntag split\n"));
  }
}

TEST_F(HttpTest, a_chunked_body_reaches_the_handler_decoded) {
  const std::string body = "4\r\nWiki\r\n6;note=\"x\"\r\npedia \r\nE\r\nin \r\n\r\nchunks.\r\n0\r\nTrailer: no\r\n\r\n";
  const std::string request = "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" + body;
  RawClient client(port());
  for (const size_t segment : {request.size(), size_t{1}, size_t{2}, size_t{7}}) {
    ASSERT_TRUE(client.send_in_segments(request, segment));
    const RawResponse response = client.read_response();
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "Wikipedia in \r\n\r\nchunks.") << "in segments of " << segment << " bytes";
  }
}

TEST_F(HttpTest, a_request_behind_a_chunked_one_is_seen) {
  RawClient client(port());
  ASSERT_TRUE(
      client.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" +
                  get_request("/describe?after=1")));
  EXPECT_EQ(client.read_response().body, "abc");
  EXPECT_THAT(client.read_response().body, HasSubstr("param after=1\n"));
}

TEST_F(HttpTest, head_is_get_without_the_content) {
  RawClient client(port());
  const RawResponse got = client.exchange(get_request("/describe"));
  ASSERT_TRUE(client.send("HEAD /describe HTTP/1.1\r\nHost: localhost\r\n\r\n" + get_request("/teapot")));
  const RawResponse headed = client.read_response(/*no_body=*/true);
  EXPECT_EQ(headed.status, 200);
  // The handler sees HEAD, which is one letter longer than GET.
  EXPECT_EQ(headed.header("Content-Length"), std::to_string(got.body.size() + 1));
  EXPECT_EQ(headed.header("Content-Type"), got.header("Content-Type"));
  EXPECT_EQ(client.read_response().status, 418) << "no byte of content stands before the next answer";
}

TEST_F(HttpTest, options_tells_the_methods_of_a_path) {
  RawClient client(port());
  const RawResponse known = client.exchange("OPTIONS /describe HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(known.status, 204);
  EXPECT_EQ(known.header("Allow"), "GET, HEAD, POST, OPTIONS");
  EXPECT_EQ(client.exchange("OPTIONS /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 404);
  const RawResponse all = client.exchange("OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(all.status, 204);
  EXPECT_THAT(all.header("Allow"), HasSubstr("GET"));
}

TEST_F(HttpTest, a_client_that_expects_100_continue_gets_it_before_it_sends_the_body) {
  RawClient client(port());
  ASSERT_TRUE(
      client.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"));
  EXPECT_EQ(client.read_response().status, 100);
  const RawResponse response = client.exchange("hello");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "hello");
}

TEST_F(HttpTest, a_body_that_would_be_refused_is_not_asked_for) {
  RawClient client(port());
  const RawResponse response = client.exchange(
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(response.status, 413);
  client.end_sending();
  EXPECT_TRUE(client.ends());
}

TEST_F(HttpTest, http_1_0_closes_unless_it_asks_to_stay) {
  RawClient closing(port());
  const RawResponse last = closing.exchange("GET /describe HTTP/1.0\r\n\r\n");
  EXPECT_EQ(last.status, 200);
  EXPECT_EQ(last.header("Connection"), "close");
  EXPECT_TRUE(closing.ends());

  RawClient staying(port());
  for (int i = 0; i < 2; ++i) {
    const RawResponse response = staying.exchange("GET /describe HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.header("Connection"), "keep-alive");
  }
}

TEST_F(HttpTest, an_unknown_path_is_a_404_and_an_unknown_method_of_a_known_one_a_405) {
  RawClient client(port());
  EXPECT_EQ(client.exchange(get_request("/nowhere")).status, 404);
  const RawResponse refused = client.exchange("DELETE /describe HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(refused.status, 405);
  EXPECT_EQ(refused.header("Allow"), "GET, HEAD, POST, OPTIONS");
  EXPECT_EQ(client.exchange(get_request("/describe")).status, 200) << "neither ends the connection";
}

TEST_F(HttpTest, a_target_in_absolute_form_is_the_same_request) {
  RawClient client(port());
  EXPECT_THAT(client.exchange("GET http://localhost/describe?a=1 HTTP/1.1\r\nHost: localhost\r\n\r\n").body,
              HasSubstr("path /describe\nlength 0\nparam a=1\n"));
}

TEST_F(HttpTest, a_status_without_a_name_here_and_headers_of_the_module_are_sent) {
  const RawResponse response = RawClient(port()).exchange(get_request("/teapot"));
  EXPECT_EQ(response.status, 418);
  EXPECT_EQ(response.header("X-Kind"), "short and stout");
  EXPECT_EQ(response.body, "");
}

TEST_F(HttpTest, a_header_value_with_a_line_end_is_a_500_and_never_two_headers) {
  const RawResponse response = RawClient(port()).exchange(get_request("/split"));
  EXPECT_EQ(response.status, 500);
  EXPECT_FALSE(response.has_header("X-Injected"));
  EXPECT_THAT(server_.log(), HasSubstr("/split"));
}

TEST_F(HttpTest, limits_are_named_by_their_status) {
  EXPECT_EQ(RawClient(port()).exchange(get_request("/" + std::string(9'000, 'a'))).status, 414);
  EXPECT_EQ(RawClient(port()).exchange(get_request("/describe", "X-Long: " + std::string(70'000, 'a') + "\r\n")).status,
            431);
  std::string many;
  for (int i = 0; i < 600; ++i) many += "X-" + std::to_string(i) + ": 1\r\n";
  EXPECT_EQ(RawClient(port()).exchange(get_request("/describe", many)).status, 431);
  EXPECT_EQ(RawClient(port()).exchange("GET /describe HTTP/2.0\r\nHost: localhost\r\n\r\n").status, 505);
}

TEST_F(HttpTest, a_path_of_8_000_bytes_and_60_kb_of_headers_are_served) {
  EXPECT_EQ(RawClient(port()).exchange(get_request("/describe?a=" + std::string(8'000, 'a'))).status, 200);
  EXPECT_EQ(RawClient(port()).exchange(get_request("/describe", "X-Long: " + std::string(60'000, 'a') + "\r\n")).status,
            200);
}

TEST_F(HttpTest, a_target_of_any_length_is_answered) {
  RawClient client(port());
  for (const size_t around : {256U, 1'024U, 2'048U, 4'096U, 8'180U}) {
    for (size_t length = around - 2; length <= around + 2; ++length) {
      EXPECT_EQ(client.exchange(get_request("/" + std::string(length - 1, 'a'))).status, 404) << length;
      EXPECT_EQ(client.exchange(get_request("/describe?" + std::string(length - 10, 'a'))).status, 200) << length;
    }
  }
}

TEST_F(HttpTest, what_came_before_a_bad_request_is_answered_and_nothing_behind_it) {
  RawClient client(port());
  ASSERT_TRUE(client.send(get_request("/describe?i=1") + "GET /describe HTTP/1.1\r\nHost : a\r\n\r\n" +
                          get_request("/describe?i=3")));
  EXPECT_THAT(client.read_response().body, HasSubstr("param i=1\n"));
  EXPECT_EQ(client.read_response().status, 400);
  EXPECT_TRUE(client.ends());
}

TEST_F(HttpTest, a_refusal_reaches_a_client_that_goes_on_sending) {
  const std::string request = "POST /echo HTTP/1.1\r\nHost: a b\r\nContent-Length: 4000000\r\n\r\n";
  for (int i = 0; i < 5; ++i) {
    RawClient client(port());
    client.send(request + std::string(4'000'000, 'x'));
    const RawResponse response = client.read_response();
    EXPECT_EQ(response.status, 400);
    EXPECT_THAT(response.body, HasSubstr("Host"));
  }
}

TEST_F(HttpTest, a_mebibyte_of_any_bytes_goes_there_and_back) {
  RawClient client(port());
  const std::string bytes = all_bytes(size_t{1} << 20);
  for (int i = 0; i < 2; ++i) {
    const RawResponse response = client.exchange(request_with_body("POST", "/echo", bytes));
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.header("Content-Type"), "application/octet-stream");
    EXPECT_TRUE(response.body == bytes) << "got " << response.body.size() << " bytes";
  }
}

TEST_F(HttpTest, one_byte_more_than_a_mebibyte_is_a_413) {
  RawClient declared(port());
  // The server need not read it all: the answer may come, and the connection end, while this side still sends.
  declared.send(request_with_body("POST", "/echo", all_bytes((size_t{1} << 20) + 1)));
  EXPECT_EQ(declared.read_response().status, 413);

  RawClient chunked(port());
  chunked.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n100001\r\n" +
               all_bytes((size_t{1} << 20) + 1) + "\r\n0\r\n\r\n");
  EXPECT_EQ(chunked.read_response().status, 413);
}

TEST_F(HttpTest, bodies_smaller_and_larger_than_the_first_buffer_come_through) {
  RawClient client(port());
  for (const size_t length : {0U, 1U, 8'191U, 8'192U, 8'193U, 16'383U, 16'384U, 16'385U, 100'000U}) {
    const std::string bytes = all_bytes(length);
    const RawResponse response = client.exchange(request_with_body("POST", "/echo", bytes));
    EXPECT_EQ(response.status, 200);
    EXPECT_TRUE(response.body == bytes) << length << " bytes sent, " << response.body.size() << " came back";
  }
}

TEST_F(HttpTest, query_parameters_are_decoded) {
  const std::string body =
      RawClient(port()).exchange(get_request("/describe?a=1+2&b=%26%3D&empty=&bare&u=%C3%A9")).body;
  EXPECT_THAT(body, HasSubstr("param a=1 2\nparam b=&=\nparam empty=\nparam bare=\nparam u=\u00e9\n"));
}

TEST_F(HttpTest, header_names_match_whatever_their_case) {
  EXPECT_THAT(RawClient(port()).exchange(get_request("/describe", "x-TAG:   spaced out  \r\n")).body,
              HasSubstr("tag spaced out\n"));
}

TEST_F(HttpTest, fields_of_an_urlencoded_body_are_data) {
  const std::string body = RawClient(port())
                               .exchange(request_with_body("POST", "/describe", "name=J%C3%B6rg+K&x=%41",
                                                           "Content-Type: application/x-www-form-urlencoded\r\n"))
                               .body;
  EXPECT_THAT(body, HasSubstr("data name=J\u00f6rg K\ndata x=A\n"));
}

TEST_F(HttpTest, fields_of_a_multipart_body_are_data) {
  const std::string parts =
      "--b1\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\na & b\r\n"
      "--b1\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.txt\"\r\nContent-Type: text/plain\r\n\r\n"
      "line 1\r\nline 2\r\n--b1--\r\n";
  const std::string body =
      RawClient(port())
          .exchange(request_with_body("POST", "/describe", parts, "Content-Type: multipart/form-data; boundary=b1\r\n"))
          .body;
  EXPECT_THAT(body, HasSubstr("data title=a & b\ndata file=line 1\r\nline 2\n"));
}

TEST_F(HttpTest, a_multipart_body_without_its_end_is_a_400) {
  const RawResponse response = RawClient(port()).exchange(
      request_with_body("POST", "/describe", "--b1\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1",
                        "Content-Type: multipart/form-data; boundary=b1\r\n"));
  EXPECT_EQ(response.status, 400);
  EXPECT_THAT(response.body, HasSubstr("boundary"));
}

TEST_F(HttpTest, a_client_that_reads_slowly_gets_everything_and_holds_nobody_up) {
  RawClient slow(port(), /*receive_buffer_bytes=*/4096);
  ASSERT_TRUE(slow.send(get_request("/big") + get_request("/describe?after=big")));
  // The slow one has read nothing yet while these are answered.
  RawClient other(port());
  for (int i = 0; i < 20; ++i) ASSERT_EQ(other.exchange(get_request("/describe")).status, 200);
  const RawResponse response = slow.read_response();
  EXPECT_EQ(response.body.size(), big_bytes);
  EXPECT_EQ(response.body.substr(big_bytes - 3),
            std::string("abcdefghijklmnopqrstuvwxyz").substr((big_bytes - 3) % 26, 3));
  EXPECT_THAT(slow.read_response().body, HasSubstr("param after=big\n"));
}

TEST_F(HttpTest, a_client_that_leaves_in_the_middle_of_an_answer_harms_nobody) {
  for (int i = 0; i < 8; ++i) {
    RawClient leaving(port(), /*receive_buffer_bytes=*/4096);
    ASSERT_TRUE(leaving.send(get_request("/big")));
    EXPECT_EQ(RawClient(port()).exchange(get_request("/describe")).status, 200);
    leaving.reset_connection();
  }
}

TEST_F(HttpTest, a_client_that_has_ended_its_side_still_gets_its_answers) {
  RawClient client(port());
  ASSERT_TRUE(client.send(get_request("/describe?i=1") + get_request("/describe?i=2")));
  client.end_sending();
  EXPECT_THAT(client.read_response().body, HasSubstr("param i=1\n"));
  EXPECT_THAT(client.read_response().body, HasSubstr("param i=2\n"));
  EXPECT_TRUE(client.ends());
}

TEST_F(HttpTest, a_deploy_from_a_client_that_has_ended_its_side_is_answered) {
  RawClient client(port());
  ASSERT_TRUE(client.send(request_with_body("POST", "/mgnt", answering_module("half", "/half", "half closed"))));
  client.end_sending();
  EXPECT_EQ(client.read_response().status, 200);
  EXPECT_EQ(RawClient(port()).exchange(get_request("/half")).body, "half closed");
}

TEST_F(HttpTest, five_hundred_connections_are_served_side_by_side) {
  std::vector<RawClient> clients;
  for (int i = 0; i < 500; ++i) clients.emplace_back(port());
  for (RawClient& client : clients) ASSERT_TRUE(client.send(get_request("/describe")));
  for (RawClient& client : clients) ASSERT_EQ(client.read_response().status, 200);
}

struct BadRequest {
  const char* name;
  std::string text;
  int status = 400;
};
void PrintTo(const BadRequest& request, std::ostream* out) {
  *out << request.name;
}

class BadRequestTest : public HttpTest, public testing::WithParamInterface<BadRequest> {};

TEST_P(BadRequestTest, is_refused_and_ends_its_connection_alone) {
  RawClient bystander(port());
  ASSERT_EQ(bystander.exchange(get_request("/describe")).status, 200);
  RawClient client(port());
  ASSERT_TRUE(client.send(GetParam().text));
  const RawResponse response = client.read_response();
  EXPECT_EQ(response.status, GetParam().status) << response.body;
  EXPECT_EQ(response.header("Connection"), "close");
  EXPECT_NE(response.body, "") << "one sentence says why";
  client.end_sending();
  EXPECT_TRUE(client.ends());
  EXPECT_EQ(bystander.exchange(get_request("/describe")).status, 200);
}

constexpr const char* host_line = "Host: localhost\r\n";

INSTANTIATE_TEST_SUITE_P(
    Each, BadRequestTest,
    testing::Values(
        BadRequest{"garbage", "\x16\x03\x01\x02 this is not HTTP\r\n\r\n"},
        BadRequest{"no_version", "GET /describe\r\n\r\n"},
        BadRequest{"two_spaces", std::string("GET  /describe HTTP/1.1\r\n") + host_line + "\r\n"},
        BadRequest{"no_host", "GET /describe HTTP/1.1\r\n\r\n"},
        BadRequest{"two_hosts", std::string("GET /describe HTTP/1.1\r\n") + host_line + host_line + "\r\n"},
        BadRequest{"length_and_chunked",
                   std::string("POST /echo HTTP/1.1\r\n") + host_line +
                       "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"},
        BadRequest{"two_lengths", std::string("POST /echo HTTP/1.1\r\n") + host_line +
                                      "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"},
        BadRequest{"signed_length",
                   std::string("POST /echo HTTP/1.1\r\n") + host_line + "Content-Length: +3\r\n\r\nabc"},
        BadRequest{"length_overflow", std::string("POST /echo HTTP/1.1\r\n") + host_line +
                                          "Content-Length: 99999999999999999999999\r\n\r\nabc"},
        BadRequest{"coding_that_is_not_chunked",
                   std::string("POST /echo HTTP/1.1\r\n") + host_line + "Transfer-Encoding: gzip\r\n\r\nabc"},
        BadRequest{"bare_lf", "GET /describe HTTP/1.1\nHost: localhost\n\n"},
        BadRequest{"folded_header", std::string("GET /describe HTTP/1.1\r\n") + host_line + "X-A: 1\r\n  2\r\n\r\n"},
        BadRequest{"space_before_colon", std::string("GET /describe HTTP/1.1\r\n") + host_line + "X-A : 1\r\n\r\n"},
        BadRequest{"nul_in_header",
                   std::string("GET /describe HTTP/1.1\r\n") + host_line + "X-A: " + std::string(1, '\0') + "\r\n\r\n"},
        BadRequest{"bad_chunk_size", std::string("POST /echo HTTP/1.1\r\n") + host_line +
                                         "Transfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n0\r\n\r\n"}),
    [](const auto& test) { return test.param.name; });

TEST(HttpOptionsTest, max_body_moves_the_limit) {
  ServerProcess server({"--max-body", "1000"});
  ASSERT_TRUE(deploy(server.port(), fill_in(wire_module, {{"BIG", "1"}})).deployed());
  EXPECT_EQ(RawClient(server.port()).exchange(request_with_body("POST", "/echo", std::string(1000, 'a'))).status, 200);
  EXPECT_EQ(RawClient(server.port()).exchange(request_with_body("POST", "/echo", std::string(1001, 'a'))).status, 413);
}

}  // namespace
}  // namespace cweb::e2e
