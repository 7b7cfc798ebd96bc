// Modules of both generations, and such that mix them: each callback gets what its own type asks for, whatever way its
// version became live.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "deploying.h"
#include "pace.h"
#include "raw_client.h"
#include "supervised_server.h"
#include "temporary_directory.h"
#include "websocket_client.h"

namespace cweb::e2e {
namespace {

using testing::HasSubstr;

/// The names of the callbacks that take a context first.
using ContextFirst = std::set<std::string>;
const ContextFirst none{};
const ContextFirst all{"handler", "on_open", "on_message", "on_close", "onload", "unload"};

/// A module NAME with GET /NAME ("NAME 1 query 5", the calls and ?a=), GET /NAME/crash, and WebSocket /NAME. A context
/// is the same in all callbacks; what else they are given is there, or the call ends in abort().
std::string module_with(const std::string& name, const ContextFirst& context_first) {
  const auto parameter = [&](const std::string& callback, const std::string& rest) {
    return context_first.contains(callback) ? "struct cweb_context *context" + (rest.empty() ? "" : ", " + rest)
                                            : (rest.empty() ? "void" : rest);
  };
  const auto check = [&](const std::string& callback) {
    return context_first.contains(callback) ? "check(context);" : "";
  };
  const std::string socket = "struct websocket *socket";
  return fill_in(
      R"(#include <cweb.h>
#include <stdatomic.h>
#include <unistd.h>

static _Atomic(struct cweb_context *) first;
static atomic_int calls;
static int *volatile nothing;

__attribute__((unused)) static void check(struct cweb_context *context) {
    struct cweb_context *none = NULL;
    if (context == NULL || context->jobs != NULL) abort();
    if (!atomic_compare_exchange_strong(&first, &none, context) && none != context) abort();
}

static void tell(const char *what) {
    char line[64];
    int length = snprintf(line, sizeof line, "%s @NAME@\n", what);
    if (write(@EVENTS@, line, (size_t)length) < 0) abort();
}

static int answer(@HANDLER@) {
    @CHECK_HANDLER@
    const char *given = map_get(req->params, "a");
    snprintf(res->body, HTTP_RESPONSE_SIZE, "@NAME@ %d query %s version %d chunked %d", ++calls, given ? given : "none",
             (int)req->version, req->transfer_encoding_chunked);
    return 0;
}
static int crash(@HANDLER@) { return req->path == NULL || res->body == NULL ? 0 : *nothing; }
static void on_open(@ON_OPEN@) {
    @CHECK_ON_OPEN@
    if (socket->session != NULL && strlen(socket->session) > 1000) abort();
    if (socket->send(socket, "open @NAME@", strlen("open @NAME@")) != 0) abort();
}
static void on_message(@ON_MESSAGE@) {
    @CHECK_ON_MESSAGE@
    if (strcmp(message, "bye") == 0 && length == 3) {
        if (socket->close(socket) != 0) abort();
        return;
    }
    char text[64];
    int size = snprintf(text, sizeof text, "@NAME@ heard %s of %zu", message, length);
    if (socket->send(socket, text, (size_t)size) != 0) abort();
}
static void on_close(@ON_CLOSE@) {
    @CHECK_ON_CLOSE@
    tell(socket->client_fd >= 0 ? "close" : "odd close");
}
static void load(@ONLOAD@) {
    @CHECK_ONLOAD@
    tell("load");
}
static void leave(@UNLOAD@) {
    @CHECK_UNLOAD@
    tell("unload");
}

export module_t config = {
    .name = "@NAME@",
    .routes = {{"/@NAME@", "GET", answer, NONE}, {"/@NAME@", "POST", answer, NONE}, {"/@NAME@/crash", "GET", crash, NONE}},
    .size = 3,
    .websockets = {{"/@NAME@", on_open, on_message, on_close}},
    .ws_size = 1,
    .onload = load,
    .unload = leave,
};
)",
      {{"HANDLER", parameter("handler", "struct http_request *req, struct http_response *res")},
       {"ON_OPEN", parameter("on_open", socket)},
       {"ON_MESSAGE", parameter("on_message", socket + ", const char *message, size_t length")},
       {"ON_CLOSE", parameter("on_close", socket)},
       {"ONLOAD", parameter("onload", "")},
       {"UNLOAD", parameter("unload", "")},
       {"CHECK_HANDLER", check("handler")},
       {"CHECK_ON_OPEN", check("on_open")},
       {"CHECK_ON_MESSAGE", check("on_message")},
       {"CHECK_ON_CLOSE", check("on_close")},
       {"CHECK_ONLOAD", check("onload")},
       {"CHECK_UNLOAD", check("unload")},
       {"NAME", name},
       {"EVENTS", std::to_string(events_fd)}});
}

struct Kind {
  std::string name;
  ContextFirst context_first;
};
const std::vector<Kind> kinds{
    {"documented", none},
    {"context", all},
    {"mixed", {"handler", "on_message", "unload"}},
    {"remixed", {"on_open", "on_close", "onload"}},
};

/// Once NAME is loaded: a request, and a socket from its beginning to its end.
void expect_served(ServerProcess& server, const std::string& name, int call = 1) {
  SCOPED_TRACE(name);
  EXPECT_EQ(HttpClient(server.port()).get("/" + name + "?a=5").body,
            name + " " + std::to_string(call) + " query 5 version 11 chunked 0");
  WebSocketClient socket(server.port(), "/" + name);
  EXPECT_EQ(socket.read_text(), "open " + name);
  EXPECT_EQ(socket.exchange("hello"), name + " heard hello of 5");
  socket.send_text("bye");
  EXPECT_EQ(socket.read_close().code, 1000);
  EXPECT_EQ(server.next_event(), "close " + name);
}

TEST(GenerationsTest, each_callback_gets_what_its_type_asks_for) {
  ServerProcess server;
  HttpClient client(server.port());
  for (const Kind& kind : kinds) {
    const DeployAnswer answer = deploy(client, module_with(kind.name, kind.context_first));
    ASSERT_TRUE(answer.deployed()) << answer;
    EXPECT_EQ(answer.all_sentences(), "\n") << "nothing to complain of";
    EXPECT_EQ(server.next_event(), "load " + kind.name);
  }
  for (const Kind& kind : kinds) expect_served(server, kind.name);
  for (const Kind& kind : kinds) {
    EXPECT_EQ(client.send("DELETE", "/mgnt/modules/" + kind.name).status, 200);
    EXPECT_EQ(server.next_event(), "unload " + kind.name);
  }
}

TEST(GenerationsTest, a_fresh_instance_after_a_fault_is_called_the_same_way) {
  ServerProcess server({"--fault-limit", "0"});
  HttpClient client(server.port());
  for (const Kind& kind : kinds) {
    ASSERT_TRUE(deploy(client, module_with(kind.name, kind.context_first)).deployed());
    EXPECT_EQ(server.next_event(), "load " + kind.name);
    EXPECT_EQ(client.get("/" + kind.name).body, kind.name + " 1 query none version 11 chunked 0");
    EXPECT_EQ(client.get("/" + kind.name + "/crash").status, 500);
    // The fresh one has its onload before the old one has its unload.
    EXPECT_EQ(server.next_event(), "load " + kind.name);
    EXPECT_EQ(server.next_event(), "unload " + kind.name);
    expect_served(server, kind.name);
  }
}

TEST(GenerationsTest, a_version_that_was_not_compiled_anew_is_called_the_same_way) {
  const TemporaryDirectory files;
  const std::vector<std::string> options{"--modules", files.path()};
  auto server = std::make_unique<SupervisedServer>(options);
  for (const Kind& kind : kinds) {
    ASSERT_TRUE(deploy(server->port(), module_with(kind.name, kind.context_first)).deployed());
    EXPECT_EQ(server->next_event(), "load " + kind.name);
  }
  server->kill_serving();
  for (size_t i = 0; i < kinds.size(); ++i) EXPECT_THAT(server->next_event(), HasSubstr("load "));
  for (const Kind& kind : kinds) expect_served(*server, kind.name);
  server.reset();
  server = std::make_unique<SupervisedServer>(options);
  EXPECT_THAT(server->log(), HasSubstr("4 of them without compiling"));
  for (size_t i = 0; i < kinds.size(); ++i) EXPECT_THAT(server->next_event(), HasSubstr("load "));
  for (const Kind& kind : kinds) expect_served(*server, kind.name);
}

TEST(GenerationsTest, a_socket_goes_on_when_its_module_changes_its_generation) {
  ServerProcess server;
  HttpClient client(server.port());
  ASSERT_TRUE(deploy(client, module_with("changing", none)).deployed());
  WebSocketClient socket(server.port(), "/changing");
  EXPECT_EQ(socket.read_text(), "open changing");
  for (const ContextFirst& next : {all, ContextFirst{"on_close"}, ContextFirst{"on_message"}}) {
    ASSERT_TRUE(deploy(client, module_with("changing", next)).deployed());
    EXPECT_EQ(socket.exchange("one"), "changing heard one of 3");
    EXPECT_EQ(client.get("/changing").body, "changing 1 query none version 11 chunked 0");
  }
  socket.close();
}

TEST(GenerationsTest, a_request_tells_its_version_and_whether_it_came_in_chunks) {
  ServerProcess server;
  ASSERT_TRUE(deploy(server.port(), module_with("telling", {"handler"})).deployed());
  RawClient client(server.port());
  EXPECT_EQ(client
                .exchange("POST /telling HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                          "3\r\nabc\r\n0\r\n\r\n")
                .body,
            "telling 1 query none version 11 chunked 1");
  EXPECT_EQ(client.exchange(request_with_body("POST", "/telling", "abc")).body,
            "telling 2 query none version 11 chunked 0");
  EXPECT_EQ(client.exchange("GET /telling HTTP/1.0\r\n\r\n").body, "telling 3 query none version 10 chunked 0");
}

/// A module NAME that tells all of a request, for either generation.
std::string describing_module(const std::string& name, bool context_first) {
  return fill_in(
      R"(#include <cweb.h>
static size_t list(char *to, size_t room, const char *what, const struct map *map) {
    size_t used = 0;
    for (size_t i = 0; i < map->size && used < room; ++i)
        used += (size_t)snprintf(to + used, room - used, " %s %s=%s", what, map->entries[i].key, (char *)map->entries[i].value);
    return used;
}
static int describe(@CONTEXT@http_request_t *req, http_response_t *res) {
    size_t used = (size_t)snprintf(res->body, HTTP_RESPONSE_SIZE, "%s %d %s keep %d close %d websocket %d body %d+%d:",
                                   http_methods[req->method], (int)req->method, req->path, req->keep_alive, req->close,
                                   req->websocket, req->content_length, req->body[req->content_length]);
    used += list(res->body + used, HTTP_RESPONSE_SIZE - used, "param", req->params);
    used += list(res->body + used, HTTP_RESPONSE_SIZE - used, "data", req->data);
    snprintf(res->body + used, HTTP_RESPONSE_SIZE - used, " title %s tag %s %s",
             (char *)@GET@(req->data, "title"), (char *)@GET@(req->headers, "X-TAG"), req->body);
    @INSERT@
    res->status = HTTP_302_FOUND;
    return 0;
}
export module_t config = {
    .name = "@NAME@",
    .routes = {{"/@NAME@", "GET", describe, NONE}, {"/@NAME@", "POST", describe, NONE}, {"/@NAME@", "PUT", describe, NONE},
               {"/@NAME@", "DELETE", describe, NONE}, {"/@NAME@", "OPTIONS", describe, NONE},
               {"/@NAME@", "PATCH", describe, NONE}, {"/@NAME@", "HEAD", describe, NONE}},
    .size = 7,
};
)",
      {{"NAME", name},
       {"CONTEXT", context_first ? "cweb_context_t *context, " : ""},
       {"GET", context_first ? "http_kv_get" : "map_get"},
       {"INSERT", context_first ? R"(http_kv_insert(res->headers, "Location", strdup("/elsewhere"));)"
                                : R"(char to[] = "/elsewhere"; map_insert(res->headers, "Location", to);)"}});
}

TEST(GenerationsTest, a_request_has_the_same_in_it_for_both) {
  ServerProcess server;
  for (const bool context_first : {false, true}) {
    const std::string name = context_first ? "context" : "documented";
    SCOPED_TRACE(name);
    const DeployAnswer answer = deploy(server.port(), describing_module(name, context_first));
    ASSERT_TRUE(answer.deployed()) << answer;
    const std::string path = "/" + name;
    RawClient client(server.port());
    const RawResponse form = client.exchange(
        request_with_body("POST", path + "?q=a%20b",
                          "title=a+%26&b=", "x-tag: t\r\nContent-Type: application/x-www-form-urlencoded\r\n"));
    EXPECT_EQ(form.body,
              "POST 1 " + path +
                  " keep 1 close 0 websocket 0 body 14+0: param q=a b data title=a & data b= title a & tag t "
                  "title=a+%26&b=");
    EXPECT_EQ(form.status, 302);
    EXPECT_EQ(form.header("Location"), "/elsewhere");
    const RawResponse parts = client.exchange(request_with_body(
        "POST", path, "--b1\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\na & b\r\n--b1--\r\n",
        "X-Tag: t\r\nContent-Type: multipart/form-data; boundary=b1\r\n"));
    EXPECT_THAT(parts.body, HasSubstr(": data title=a & b title a & b tag t --b1"));
    const std::vector<std::string> methods{"GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"};
    for (size_t i = 0; i < methods.size(); ++i) {
      EXPECT_EQ(client.exchange(request_with_body(methods[i], path, "1234", "x-tag: t\r\n")).body,
                methods[i] + " " + std::to_string(i) + " " + path +
                    " keep 1 close 0 websocket 0 body 4+0: title (null) tag t 1234");
    }
    ASSERT_TRUE(client.send("HEAD " + path + " HTTP/1.1\r\nHost: a\r\nX-Tag: t\r\n\r\n"));
    EXPECT_EQ(client.read_response(/*no_body=*/true).header("Content-Length"),
              std::to_string(("HEAD 6 " + path + " keep 1 close 0 websocket 0 body 0+0: title (null) tag t ").size()));
    EXPECT_THAT(client.exchange(get_request(path, "Connection: close\r\nX-Tag: t\r\n")).body,
                HasSubstr(" keep 0 close 1 "));
  }
}

TEST(GenerationsTest, jobs_are_told_of_at_the_deploy_and_once_a_version_in_the_log) {
  ServerProcess server;
  HttpClient client(server.port());
  const auto working_module = [](const std::string& text) {
    return R"(#include <cweb.h>
static int run(struct cweb_context *context, const job_payload_t *payload, job_ctx_t *job) {
    return job->set_result(job, payload->json);
}
static int answer(struct cweb_context *context, http_request_t *req, http_response_t *res) {
    cweb_uuid_t uuid;
    int made = jobs_create("sum", "{}", &uuid);
    snprintf(res->body, HTTP_RESPONSE_SIZE, ")" +
           text + R"( %d", made);
    return 0;
}
export module_t config = {
    .name = "working",
    .routes = {{"/working", "GET", answer, NONE}},
    .size = 1,
    .jobs = {{"sum", run, NULL}, {"difference", run, NULL}},
    .job_size = 2,
};
)";
  };
  constexpr const char* line = "module working calls jobs_create: this server does not run jobs";
  for (const size_t version : {1U, 2U}) {
    const DeployAnswer answer = deploy(client, working_module(version == 1 ? "first" : "second"));
    ASSERT_TRUE(answer.deployed()) << answer;
    EXPECT_THAT(answer.all_sentences(), HasSubstr("`config` has 2 jobs: this server does not run jobs"));
    EXPECT_THAT(answer.all_sentences(), HasSubstr("line 7 calls jobs_create: this server does not run jobs"));
    for (int i = 0; i < 3; ++i) EXPECT_THAT(client.get("/working").body, HasSubstr(" -1"));
    EXPECT_EQ(count_of(server.log(), line), version);
  }
}

}  // namespace
}  // namespace cweb::e2e
