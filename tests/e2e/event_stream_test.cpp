// GET /mgnt/events: nothing missing, nothing double, and no reader that anybody has to wait for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "deploying.h"
#include "event_reader.h"
#include "http_client.h"
#include "https_server.h"
#include "pace.h"
#include "raw_client.h"
#include "server_process.h"

namespace cweb::e2e {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::string printer = R"(#include <cweb.h>
static const char text[] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
static int print(struct http_request *req, struct http_response *res) {
    const char *count = map_get(req->params, "count");
    for (int i = 0; i < (count ? atoi(count) : 1); i++) printf("%d %s\n", i, text);
    return 0;
}
export module_t config = {.name = "@NAME@", .routes = {{"/@NAME@", "GET", print, NONE}}, .size = 1};
)";

class EventStreamTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(deploy(client_, fill_in(printer, {{"NAME", "printer"}})).deployed()); }
  RawClient connect(int receive_buffer_bytes = 0) const { return RawClient(server_.port(), receive_buffer_bytes); }
  void print(int count) { EXPECT_EQ(client_.get("/printer?count=" + std::to_string(count)).status, 200); }

  ServerProcess server_;
  HttpClient client_{server_.port()};
};

TEST_F(EventStreamTest, a_stream_begins_with_hello_and_goes_on_with_what_happens) {
  EventReader reader(connect());
  const auto hello = reader.next();
  ASSERT_TRUE(hello);
  EXPECT_EQ(hello->type, "hello");
  EXPECT_EQ(hello->data["last_id"], 1);
  const std::string run = hello->data["run"];
  print(1);
  const auto line = reader.next();
  ASSERT_TRUE(line);
  EXPECT_EQ(line->id, run + ".2");
  EXPECT_EQ(line->type, "output");
  EXPECT_EQ(line->data["module"], "printer");
  EXPECT_EQ(line->data["version"], 1);
  EXPECT_THAT(line->text(), StartsWith("0 xxx"));
  deploy(client_, "int x = ;");
  EXPECT_EQ(reader.next("deploy_failed")->data["stage"], "compile");
  ASSERT_TRUE(deploy(client_, fill_in(printer, {{"NAME", "other"}})).deployed());
  EXPECT_EQ(reader.next("deployed")->text(), "other, version 1, is deployed");
  EXPECT_EQ(client_.post("/mgnt/modules/other/restart", "").status, 200);
  EXPECT_EQ(reader.next("restarted")->text(), "other, version 1, is restarted");
  EXPECT_EQ(client_.send("DELETE", "/mgnt/modules/other").status, 200);
  EXPECT_EQ(reader.next("removed")->text(), "other is removed");

  // Goes on where another has stopped, filtered by module.
  EventReader resumed(connect(), "?module=other&after=0", "Last-Event-ID: " + run + ".4\r\n");
  EXPECT_EQ(resumed.next("restarted")->number(), 5U);
  EventReader of_another_life(connect(), "?module=other&module=none", "Last-Event-ID: 1234.4\r\n");
  EXPECT_EQ(of_another_life.next("deployed")->number(), 4U);
}

TEST_F(EventStreamTest, what_was_kept_and_what_comes_meanwhile_is_whole) {
  print(500);
  std::thread printing([this] {
    for (int i = 0; i < 100; ++i) EXPECT_EQ(client_.get("/printer?count=3").status, 200);
  });
  EventReader reader(connect(), "?after=0");
  for (uint64_t expected = 1; expected <= 801; ++expected) {
    auto event = reader.next();
    if (event && event->type == "hello") event = reader.next();
    ASSERT_TRUE(event);
    ASSERT_EQ(event->number(), expected);
  }
  printing.join();
}

/// Reads up to the event of this number, which may be lost; how many are.
uint64_t lost_up_to(EventReader& reader, uint64_t end) {
  uint64_t last = 1, lost = 0;
  while (last < end) {
    const auto event = reader.next();
    if (!event) return 0;
    if (event->type == "hello") continue;
    const uint64_t count = event->data.value("count", uint64_t{0});
    EXPECT_EQ(event->number(), event->type == "lost" ? 0 : last + 1);
    last += event->type == "lost" ? count : 1;
    lost += count;
    if (testing::Test::HasFailure()) return 0;
  }
  EXPECT_EQ(last, end);
  return lost;
}

TEST_F(EventStreamTest, a_slow_reader_is_told_what_it_missed_and_nobody_waits_for_it) {
  constexpr int count = 30'000;
  EventReader slow(connect(4096)), other(connect());
  std::thread reading([&] { lost_up_to(other, count + 2); });
  print(count);
  print(1);
  reading.join();
  EXPECT_GT(lost_up_to(slow, count + 2), 0U);
}

TEST_F(EventStreamTest, there_are_so_many_streams_and_who_goes_makes_room) {
  std::vector<EventReader> readers;
  for (int i = 0; i < 64; ++i) readers.emplace_back(connect());
  const RawResponse refused = connect().exchange(get_request("/mgnt/events"));
  EXPECT_EQ(refused.status, 503);
  EXPECT_THAT(refused.body, HasSubstr("64 streams"));
  EXPECT_TRUE(refused.has_header("Retry-After"));
  readers.pop_back();
  EXPECT_TRUE(eventually([&] {
    RawClient client = connect();
    client.send(get_request("/mgnt/events"));
    std::string line;
    return client.read_until("\r\n", line) && line == "HTTP/1.1 200 OK";
  }));
  readers[0].client().reset_connection();
  print(1);
  EXPECT_TRUE(readers[1].next("output"));
}

TEST_F(EventStreamTest, a_request_that_is_not_understood_is_told_so) {
  for (const char* query : {"?modul=a", "?after=x", "?limit=3", "?after=-1"}) {
    EXPECT_EQ(client_.get(std::string("/mgnt/events") + query).status, 400) << query;
  }
  EXPECT_EQ(client_.get("/mgnt/logs?limit=x").status, 400);
  EXPECT_EQ(client_.post("/mgnt/events", "").status, 405);
  EXPECT_EQ(client_.post("/mgnt/logs", "").status, 405);
  EXPECT_THAT(client_.get("/mgnt/logs").body.substr(12), " printer, version 1, is deployed\n");
}

TEST_F(EventStreamTest, a_head_is_answered_with_the_head_and_a_request_behind_a_stream_with_nothing) {
  RawClient head = connect();
  head.send("HEAD /mgnt/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const RawResponse answer = head.read_response(/*no_body=*/true);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("content-type"), "text/event-stream");
  EXPECT_TRUE(head.ends());

  EventReader reader(connect());
  ASSERT_TRUE(reader.next("hello"));
  EXPECT_TRUE(reader.client().send(get_request("/printer") + std::string(1 << 20, 'x')));
  print(1);
  EXPECT_EQ(reader.next("output")->number(), 2U) << "the one that was sent behind the stream printed nothing";
  server_.terminate();
  EXPECT_FALSE(reader.next());
  EXPECT_TRUE(reader.ended_in_order());
}

const std::string key = "e2e-key-of-forty-characters-0123456789ab";
const std::string read_key = "e2e-read-key-forty-characters-0123456789";

/// With TLS, keys, and a ping every second.
TEST(SecureEventStreamTest, a_stream_needs_the_key_pings_and_ends_in_order_with_the_server) {
  const CertificateFolder folder;
  ServerProcess server(folder.options({"--ws-ping-seconds", "1"}),
                       {"CWEB_ADMIN_KEY=" + key, "CWEB_READ_KEY=" + read_key});
  HttpClient client(server.port(), "https");
  for (const char* path : {"/mgnt/events", "/mgnt/logs"}) {
    EXPECT_EQ(client.get(path).status, 401) << path;
    EXPECT_EQ(client.get(path, {{"X-API-Key", read_key}}).status, 403) << path;
  }
  const std::string with_key = "X-API-Key: " + key + "\r\n";
  EventReader reader(RawClient(server.port(), TlsWish{}), "", with_key);
  ASSERT_TRUE(reader.next("hello"));
  std::string text;
  ASSERT_TRUE(reader.next_text(text));
  EXPECT_EQ(text, ": ping\n");
  EXPECT_EQ(client.post("/mgnt", fill_in(printer, {{"NAME", "printer"}}), {{"X-API-Key", key}}).status, 200);
  EXPECT_TRUE(reader.next("deployed"));

  RawClient old(server.port(), TlsWish{});
  old.send("GET /mgnt/events HTTP/1.0\r\nHost: localhost\r\n" + with_key + "\r\n");
  std::string head;
  ASSERT_TRUE(old.read_until("\r\n\r\n", head));
  EXPECT_THAT(head, AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr("\r\nConnection: close"),
                          Not(HasSubstr("Transfer-Encoding"))));
  ASSERT_TRUE(old.read_until("\n\n", text));
  EXPECT_THAT(text, HasSubstr("event: hello\n"));

  // One that does not read keeps nobody from ending.
  EventReader stuck(RawClient(server.port(), TlsWish{}, 4096), "", with_key);
  ASSERT_TRUE(stuck.next("hello"));
  EXPECT_EQ(client.get("/printer?count=20000").status, 200);
  server.terminate();
  while (reader.next()) {
  }
  EXPECT_TRUE(reader.ended_in_order());
  old.read_to_end();
  EXPECT_FALSE(old.was_reset());
  EXPECT_TRUE(server.stop());
}

}  // namespace
}  // namespace cweb::e2e
