// HTTPS as clients see it: what is agreed on, what is refused, and that nobody who behaves badly matters to the others.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "deploying.h"
#include "http_client.h"
#include "https_server.h"
#include "pace.h"
#include "raw_client.h"
#include "steady_client.h"
#include "websocket_client.h"

namespace cweb::e2e {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* test_module = R"(#include <cweb.h>
#include <pthread.h>

static int page(struct http_request *req, struct http_response *res) { strcpy(res->body, "page"); return 0; }
static int own(struct http_request *req, struct http_response *res) {
    map_insert(res->headers, "Strict-Transport-Security", "max-age=1");
    return 0;
}
static int length(struct http_request *req, struct http_response *res) {
    sprintf(res->body, "%d", req->content_length);
    return 0;
}
static int large(struct http_request *req, struct http_response *res) {
    int size = 8000000;
    res->body = malloc(size);
    for (int i = 0; i < size; i++) res->body[i] = 'a' + i % 23;
    res->content_length = size;
    return 0;
}
static void echo(struct websocket *ws, const char *message, size_t size) { ws->send(ws, message, size); }
static int tell(struct http_request *req, struct http_response *res) {
    cweb_ws_broadcast("/echo", "told", 4);
    return 0;
}
export module_t config = {
    .name = "tls", .size = 5,
    .routes = {{"/page", "GET", page, NONE}, {"/own", "GET", own, NONE}, {"/length", "POST", length, NONE},
               {"/large", "GET", large, NONE}, {"/tell", "GET", tell, NONE}},
    .websockets = {{"/echo", NULL, echo, NULL}}, .ws_size = 1,
};
)";

class TlsTest : public testing::Test {
 protected:
  explicit TlsTest(const testing_support::CertificateWish& wish = {}) : folder_(wish) {
    HttpClient client(server_.port(), "https");
    EXPECT_TRUE(deploy(client, test_module).deployed());
  }
  RawClient connect(const TlsWish& wish = {}) const { return RawClient(server_.port(), wish); }
  /// The same without failing the test where there is no agreement.
  RawClient try_to_connect(const TlsWish& wish) const { return RawClient(server_.port(), wish, 0, /*may_fail=*/true); }
  double metric(const std::string& line) const {
    const std::string text = HttpClient(server_.port(), "https").get("/mgnt/metrics").body;
    const size_t at = text.find("\n" + line + " ");
    EXPECT_NE(at, std::string::npos) << line;
    return at == std::string::npos ? -1 : std::stod(text.substr(at + line.size() + 2));
  }
  void expect_serves() const { EXPECT_EQ(HttpClient(server_.port(), "https").get("/page").body, "page"); }

  const CertificateFolder folder_;
  ServerProcess server_{folder_.options({"--hsts", "600", "--redirect-http", "0", "--max-body", "100000"})};
};

class RsaTlsTest : public TlsTest {
 protected:
  RsaTlsTest() : TlsTest({.key = testing_support::CertificateWish::Key::rsa_2048}) {}
};

TEST_F(TlsTest, speaks_1_3_and_1_2_with_modern_ciphers) {
  RawClient newest = connect();
  EXPECT_EQ(newest.tls()->version(), "TLSv1.3");
  EXPECT_EQ(newest.exchange(get_request("/page")).body, "page");
  RawClient older = connect({.version = tls12});
  EXPECT_EQ(older.tls()->version(), "TLSv1.2");
  EXPECT_EQ(older.tls()->cipher(), "ECDHE-ECDSA-AES128-GCM-SHA256");
  EXPECT_EQ(older.exchange(get_request("/page")).body, "page");
}

TEST_F(RsaTlsTest, an_rsa_certificate_serves_both_versions_too) {
  for (const int version : {tls12, tls13}) {
    RawClient client = connect({.version = version});
    EXPECT_THAT(client.tls()->cipher(), AnyOf(StartsWith("TLS_"), StartsWith("ECDHE-RSA-")));
    EXPECT_EQ(client.exchange(get_request("/page")).body, "page");
  }
}

TEST_F(RsaTlsTest, old_versions_and_weak_ciphers_are_refused) {
  for (const int version : {0x0301, 0x0302}) EXPECT_FALSE(try_to_connect({.version = version}).is_secure()) << version;
  for (const char* cipher : {"ECDHE-RSA-AES128-SHA256", "ECDHE-RSA-AES256-SHA", "AES128-GCM-SHA256", "AES256-SHA",
                             "NULL-SHA256", "AECDH-AES128-SHA"}) {
    EXPECT_FALSE(try_to_connect({.version = tls12, .ciphers = cipher}).is_secure()) << cipher;
  }
  EXPECT_TRUE(try_to_connect({.version = tls12, .ciphers = "ECDHE-RSA-CHACHA20-POLY1305"}).is_secure());
  expect_serves();
}

TEST_F(TlsTest, a_client_without_aes_hardware_gets_the_cipher_that_it_asks_for_first) {
  const std::string aes = "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256";
  const std::string chacha = "ECDHE-ECDSA-CHACHA20-POLY1305";
  EXPECT_EQ(connect({.version = tls12, .ciphers = chacha + ":" + aes}).tls()->cipher(), chacha);
  EXPECT_EQ(connect({.version = tls12, .ciphers = aes + ":" + chacha}).tls()->cipher(),
            "ECDHE-ECDSA-AES128-GCM-SHA256");
}

TEST_F(TlsTest, sessions_are_resumed_in_both_versions_and_counted) {
  for (const int version : {tls12, tls13}) {
    const double full = metric(R"(cweb_tls_handshakes_total{result="full"})");
    RawClient first = connect({.version = version});
    EXPECT_FALSE(first.tls()->was_resumed());
    EXPECT_EQ(first.exchange(get_request("/page")).body, "page");
    const TlsTicket ticket = first.tls()->ticket();
    const double resumed = metric(R"(cweb_tls_handshakes_total{result="resumed"})");
    RawClient second = connect({.version = version, .resumes = ticket.get()});
    EXPECT_TRUE(second.tls()->was_resumed()) << version;
    EXPECT_EQ(second.exchange(get_request("/page")).body, "page");
    EXPECT_EQ(metric(R"(cweb_tls_handshakes_total{result="resumed"})"), resumed + 1);
    EXPECT_GT(metric(R"(cweb_tls_handshakes_total{result="full"})"), full);
  }
}

TEST_F(TlsTest, alpn_is_http_1_1_or_a_clear_no) {
  EXPECT_EQ(connect({.protocols = {"h2", "http/1.1"}}).tls()->protocol(), "http/1.1");
  EXPECT_EQ(connect({}).tls()->protocol(), "");
  RawClient other = try_to_connect({.protocols = {"h2"}});
  EXPECT_FALSE(other.is_secure());
  EXPECT_THAT(other.tls()->failure(), HasSubstr("no application protocol"));
}

TEST_F(TlsTest, another_handshake_on_an_open_connection_is_refused_and_costs_nobody_anything) {
  RawClient client = connect({.version = tls12});
  EXPECT_EQ(client.exchange(get_request("/page")).body, "page");
  EXPECT_FALSE(client.tls()->ask_for_new_keys());
  expect_serves();
}

TEST_F(TlsTest, new_keys_in_1_3_are_taken) {
  RawClient client = connect({.version = tls13});
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(client.tls()->ask_for_new_keys());
    EXPECT_EQ(client.exchange(get_request("/page")).body, "page");
  }
}

TEST_F(TlsTest, a_handshake_may_come_byte_by_byte) {
  for (const int version : {tls12, tls13}) {
    RawClient client = connect({.version = version, .segment_bytes = 1});
    EXPECT_EQ(client.exchange(get_request("/page")).body, "page");
  }
}

TEST_F(TlsTest, pipelined_requests_are_answered_in_order) {
  RawClient client = connect();
  std::string requests;
  for (int i = 0; i < 100; ++i)
    requests += request_with_body("POST", "/length", std::string(static_cast<size_t>(i), 'x'));
  ASSERT_TRUE(client.send(requests));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(client.read_response().body, std::to_string(i));
}

TEST_F(TlsTest, a_body_that_is_too_large_gets_its_413_though_the_client_goes_on_sending) {
  RawClient client = connect();
  std::string requests = get_request("/page") + request_with_body("POST", "/length", std::string(400'000, 'x'));
  client.send(requests);
  EXPECT_EQ(client.read_response().body, "page");
  EXPECT_EQ(client.read_response().status, 413);
  EXPECT_TRUE(client.ends());
  EXPECT_FALSE(client.was_reset()) << "the end is one in order, with a goodbye";
}

TEST_F(TlsTest, large_answers_arrive_whole_at_a_reader_that_waits) {
  RawClient client(server_.port(), TlsWish{}, /*receive_buffer_bytes=*/8 * 1024);
  std::string expected;
  for (int i = 0; i < 8'000'000; ++i) expected += static_cast<char>('a' + i % 23);
  ASSERT_TRUE(client.send(get_request("/large") + get_request("/large") + get_request("/page")));
  // Others are served while this one does not read.
  expect_serves();
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(client.read_response().body == expected);
  EXPECT_EQ(client.read_response().body, "page");
}

TEST_F(TlsTest, the_last_answer_ends_with_a_goodbye) {
  RawClient client = connect();
  EXPECT_EQ(client.exchange(get_request("/page", "Connection: close\r\n")).body, "page");
  EXPECT_TRUE(client.ends());
  EXPECT_FALSE(client.was_reset()) << "a client cannot tell this from a connection that was cut";
}

TEST_F(TlsTest, who_says_goodbye_behind_his_requests_gets_their_answers) {
  RawClient client = connect();
  ASSERT_TRUE(client.send(get_request("/page") + get_request("/page")));
  client.tls()->say_goodbye();
  EXPECT_EQ(client.read_response().body, "page");
  EXPECT_EQ(client.read_response().body, "page");
  EXPECT_TRUE(client.ends());
}

TEST_F(TlsTest, who_just_ends_behind_his_requests_gets_their_answers_too) {
  for (int i = 0; i < 20; ++i) {
    RawClient client = connect();
    ASSERT_TRUE(client.send(get_request("/page") + get_request("/page")));
    client.end_sending();
    EXPECT_EQ(client.read_response().body, "page");
    EXPECT_EQ(client.read_response().body, "page");
  }
}

TEST_F(TlsTest, a_request_that_was_cut_off_is_no_request) {
  RawClient client = connect();
  client.send("POST /length HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n12345");
  client.end_sending();
  EXPECT_EQ(client.read_to_end(), "");
  expect_serves();
}

TEST_F(TlsTest, plain_http_is_told_that_this_port_speaks_https) {
  for (const char* method : {"GET", "POST", "OPTIONS", "DELETE"}) {
    RawClient client(server_.port());
    const RawResponse response = client.exchange(std::string(method) + " / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(response.status, 400);
    EXPECT_THAT(response.body, HasSubstr("this port speaks HTTPS"));
    EXPECT_FALSE(response.has_header("Strict-Transport-Security"));
    EXPECT_TRUE(client.ends());
  }
}

TEST_F(TlsTest, garbage_is_closed_and_counted_and_not_logged) {
  const double failed = metric(R"(cweb_tls_handshakes_total{result="failed"})");
  const size_t logged = server_.log().size();
  for (const std::string& bytes :
       {std::string("\x16\x03\x01\xff\xff"), std::string("\0\0\0", 3), std::string("\x80.")}) {
    RawClient client(server_.port());
    client.send(bytes + std::string(100, 'x'));
    client.read_to_end();
  }
  EXPECT_EQ(metric(R"(cweb_tls_handshakes_total{result="failed"})"), failed + 3);
  EXPECT_EQ(server_.log().size(), logged) << server_.log();
}

TEST_F(TlsTest, silent_and_half_spoken_clients_delay_nobody_and_are_closed_in_time) {
  std::vector<RawClient> bad;
  for (int i = 0; i < 100; ++i) bad.emplace_back(server_.port());
  for (int i = 0; i < 50; ++i) bad[static_cast<size_t>(i)].send("\x16\x03\x01");
  expect_serves();
  for (RawClient& client : bad) EXPECT_EQ(client.read_to_end(), "");
  EXPECT_GE(metric(R"(cweb_connections_timed_out_total{waiting="handshake"})"), 100);
}

TEST_F(TlsTest, every_answer_has_hsts_and_a_module_may_have_its_own) {
  HttpClient client(server_.port(), "https");
  for (const char* path : {"/page", "/nothing", "/mgnt/health"}) {
    EXPECT_EQ(client.get(path).header("strict-transport-security"), "max-age=600") << path;
  }
  const HttpResponse own = client.get("/own");
  EXPECT_EQ(own.header("strict-transport-security"), "max-age=1");
  EXPECT_EQ(std::count_if(own.headers.begin(), own.headers.end(),
                          [](const auto& header) { return header.first == "strict-transport-security"; }),
            1);
}

TEST_F(TlsTest, the_other_port_leads_here_and_has_nothing_else) {
  RawClient client(server_.redirect_port());
  const std::string here = "https://localhost:" + std::to_string(server_.port());
  for (const std::string& path : {std::string("/page?a=b&c"), std::string("/mgnt"), std::string("/")}) {
    const RawResponse response = client.exchange(get_request(path));
    EXPECT_EQ(response.status, 308);
    EXPECT_EQ(response.header("Location"), here + path);
    EXPECT_FALSE(response.has_header("Strict-Transport-Security"));
  }
  EXPECT_EQ(client.exchange(request_with_body("POST", "/mgnt", test_module)).header("Location"), here + "/mgnt");
  EXPECT_EQ(client.exchange("GET http://localhost:1/x HTTP/1.1\r\nHost: localhost:1\r\n\r\n").header("Location"),
            here + "/x");
  EXPECT_EQ(client.exchange("GET /x HTTP/1.1\r\nHost: [::1]:80\r\n\r\n").header("Location"),
            "https://[::1]:" + std::to_string(server_.port()) + "/x");
  EXPECT_EQ(client.exchange("OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 400);
  EXPECT_EQ(RawClient(server_.redirect_port()).exchange("GET / HTTP/1.1\r\nHost: a b\r\n\r\n").status, 400);
  EXPECT_EQ(RawClient(server_.redirect_port()).exchange("GET / HTTP/1.0\r\n\r\n").status, 400);
}

TEST_F(TlsTest, mgnt_takes_pages_of_its_own_origin_which_is_https_now) {
  HttpClient client(server_.port(), "https");
  const std::string host = "localhost:" + std::to_string(server_.port());
  EXPECT_EQ(client.get("/mgnt", {{"Origin", "https://" + host}}).status, 200);
  EXPECT_EQ(client.get("/mgnt", {{"Origin", "http://" + host}}).status, 403);
}

TEST_F(TlsTest, websockets_work_with_large_messages_and_those_that_others_send) {
  WebSocketClient socket(server_.port(), "/echo", TlsWish{});
  EXPECT_EQ(socket.exchange("hello"), "hello");
  const std::string large(1'000'000, 'x');
  EXPECT_TRUE(socket.exchange(large) == large);
  for (int i = 0; i < 100; ++i) socket.send_text(std::to_string(i));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(socket.read_text(), std::to_string(i));
  EXPECT_EQ(HttpClient(server_.port(), "https").get("/tell").status, 200);
  EXPECT_EQ(socket.read_text(), "told");
  EXPECT_EQ(socket.close().code, 1000);
  EXPECT_FALSE(socket.raw().was_reset());
}

TEST_F(TlsTest, websockets_are_compressed_and_outlive_a_deploy) {
  WebSocketClient socket(server_.port(), "/echo", TlsWish{}, "Sec-WebSocket-Extensions: permessage-deflate\r\n");
  EXPECT_THAT(socket.handshake().header("Sec-WebSocket-Extensions"), HasSubstr("permessage-deflate"));
  HttpClient client(server_.port(), "https");
  EXPECT_TRUE(deploy(client, std::string(test_module) + "/* another version */\n").deployed());
  EXPECT_EQ(socket.exchange("still here"), "still here");
}

}  // namespace
}  // namespace cweb::e2e
