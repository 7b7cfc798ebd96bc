// Faults in threads that a module starts with attributes of its own: a small stack, no guard below it, memory of its
// own for it. They cost the thread, like any other's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "deploying.h"
#include "fault_case.h"
#include "pace.h"
#include "server_process.h"
#include "steady_client.h"

namespace cweb::e2e {
namespace {

using testing::HasSubstr;

/// `prepare` sets up `attributes`; `work` is what the thread does.
std::string threaded_module(const std::string& prepare, const std::string& work) {
  return fill_in(R"(#include <cweb.h>
#include <limits.h>
#include <pthread.h>
#include <unistd.h>

static int *volatile nothing;
static _Alignas(4096) char memory[1 << 16];
static volatile unsigned depth;

@WORK@

static int start(struct http_request *req, struct http_response *res) {
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    int error = @PREPARE@;
    if (error == 0) error = pthread_create(&thread, &attributes, work, NULL);
    pthread_attr_destroy(&attributes);
    if (error == 0) error = pthread_join(thread, NULL);
    snprintf(res->body, HTTP_RESPONSE_SIZE, "error %d", error);
    return 0;
}

export module_t config = {.name = "threaded", .routes = {{"/start", "GET", start, NONE}}, .size = 1};
)",
                 {{"PREPARE", prepare}, {"WORK", work}});
}

const std::string null_write = R"(static void *work(void *unused) {
    *nothing = 1; /* here */
    return unused;
})";

/// Frames of 64 KiB: each steps over a guard of a page.
const std::string deep_recursion = R"(static int dig(int level) {
    volatile char frame[1 << 16];
    frame[level % 64] = (char)level; /* here */
    depth = depth + 1;
    return dig(level + 1) + frame[depth % sizeof frame];
}
static void *work(void *unused) {
    return (void *)(long)dig(0);
})";

class FaultThreadsTest : public testing::Test {
 protected:
  /// The fault costs its thread and nothing else, and its line is told.
  void expect_contained(const std::string& source, const std::string& what) {
    ASSERT_TRUE(deploy(client_, source).deployed());
    SteadyClient steady(server_.port());
    for (int i = 1; i <= 3; ++i) {
      const HttpResponse response = client_.get("/start");
      EXPECT_EQ(response.status, 200) << response.error;
      EXPECT_EQ(response.body, "error 0");
      ASSERT_TRUE(eventually([&] { return module_status(client_, "threaded").value("faults", 0) == i; }));
    }
    const auto report = module_status(client_, "threaded")["recent_faults"][0];
    EXPECT_EQ(report.value("call", ""), "a thread of its own");
    EXPECT_THAT(report.dump(), HasSubstr(what));
    const unsigned line = report.value("line", 0U);
    // A large frame may be touched first where it is entered, or by the next call.
    EXPECT_LE(line, marked_line(source) + 2);
    EXPECT_GE(line + 2, marked_line(source));
  }

  ServerProcess server_{std::vector<std::string>{"--threads", "1", "--fault-limit", "0"}};
  HttpClient client_{server_.port()};
};

TEST_F(FaultThreadsTest, on_the_smallest_stack_there_is) {
  expect_contained(threaded_module("pthread_attr_setstacksize(&attributes, 16384)", null_write), "null pointer");
}

TEST_F(FaultThreadsTest, on_a_stack_in_memory_of_the_modules) {
  expect_contained(threaded_module("pthread_attr_setstack(&attributes, memory, sizeof memory)", null_write),
                   "null pointer");
}

TEST_F(FaultThreadsTest, without_a_guard_below_the_stack_and_with_large_frames) {
  expect_contained(threaded_module("pthread_attr_setguardsize(&attributes, 0)", deep_recursion), "stack overflow");
}

TEST_F(FaultThreadsTest, on_a_small_stack_without_a_guard) {
  expect_contained(threaded_module("pthread_attr_setguardsize(&attributes, 0) || "
                                   "pthread_attr_setstacksize(&attributes, 16384)",
                                   deep_recursion),
                   "stack overflow");
}

TEST_F(FaultThreadsTest, attributes_that_are_none_are_a_fault_of_the_call) {
  ASSERT_TRUE(deploy(client_, R"(#include <cweb.h>
#include <pthread.h>
static void *work(void *unused) { return unused; }
static int start(struct http_request *req, struct http_response *res) {
    pthread_t thread;
    return pthread_create(&thread, (void *)8, work, NULL); /* here */
}
export module_t config = {.name = "wild", .routes = {{"/start", "GET", start, NONE}}, .size = 1};
)")
                  .deployed());
  const HttpResponse response = client_.get("/start");
  EXPECT_EQ(response.status, 500);
  EXPECT_THAT(response.body, HasSubstr("null pointer"));
}

TEST_F(FaultThreadsTest, a_thread_has_what_its_attributes_ask_for_beyond_that) {
  ASSERT_TRUE(deploy(client_, R"(#define _GNU_SOURCE
#include <cweb.h>
#include <pthread.h>
static size_t had;
static void *work(void *unused) {
    pthread_attr_t attributes;
    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstacksize(&attributes, &had);
    pthread_attr_destroy(&attributes);
    return unused;
}
static int start(struct http_request *req, struct http_response *res) {
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 16 << 20);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_JOINABLE);
    int error = pthread_create(&thread, &attributes, work, NULL);
    if (error == 0) error = pthread_join(thread, NULL);
    snprintf(res->body, HTTP_RESPONSE_SIZE, "error %d, large %d", error, had >= (16 << 20));
    return 0;
}
export module_t config = {.name = "large", .routes = {{"/start", "GET", start, NONE}}, .size = 1};
)")
                  .deployed());
  EXPECT_EQ(client_.get("/start").body, "error 0, large 1");
}

}  // namespace
}  // namespace cweb::e2e
