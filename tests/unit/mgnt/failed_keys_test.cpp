#include "mgnt/failed_keys.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "peers.h"

namespace cweb::mgnt {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

constexpr nanoseconds start = 1000h;

class FailedKeysTest : public testing::Test {
 protected:
  void fail_often(const std::string& address, int64_t times, nanoseconds now) {
    for (int64_t i = 0; i < times; ++i) keys_.note(peer_at(address), now);
  }
  nanoseconds wait_time(const std::string& address, nanoseconds now) { return keys_.wait_time(peer_at(address), now); }

  FailedKeys keys_;
};

TEST_F(FailedKeysTest, an_address_that_was_never_wrong_does_not_wait) {
  EXPECT_EQ(wait_time("192.0.2.1", start), 0s);
  EXPECT_EQ(keys_.addresses(), 0U) << "asking costs no memory";
}

TEST_F(FailedKeysTest, ten_wrong_keys_are_free_and_then_it_waits_for_the_next_attempt) {
  fail_often("192.0.2.1", FailedKeys::burst - 1, start);
  EXPECT_EQ(wait_time("192.0.2.1", start), 0s);
  fail_often("192.0.2.1", 1, start);
  EXPECT_EQ(wait_time("192.0.2.1", start), FailedKeys::refill_time);
  EXPECT_EQ(wait_time("192.0.2.1", start + 1s), FailedKeys::refill_time - 1s);
  EXPECT_EQ(wait_time("192.0.2.1", start + FailedKeys::refill_time), 0s);
}

TEST_F(FailedKeysTest, an_attempt_comes_back_with_each_refill_and_no_more_than_ten_ever) {
  fail_often("192.0.2.1", FailedKeys::burst, start);
  const nanoseconds later = start + 2 * FailedKeys::refill_time;
  fail_often("192.0.2.1", 2, later);
  EXPECT_GT(wait_time("192.0.2.1", later), 0s) << "two came back and were used";
  const nanoseconds much_later = start + 100 * FailedKeys::refill_time;
  fail_often("192.0.2.1", FailedKeys::burst - 1, much_later);
  EXPECT_EQ(wait_time("192.0.2.1", much_later), 0s);
  fail_often("192.0.2.1", 1, much_later);
  EXPECT_GT(wait_time("192.0.2.1", much_later), 0s);
}

TEST_F(FailedKeysTest, attempts_beyond_what_is_there_are_waited_for_as_well) {
  fail_often("192.0.2.1", FailedKeys::burst + 5, start);
  EXPECT_EQ(wait_time("192.0.2.1", start), 6 * FailedKeys::refill_time);
}

TEST_F(FailedKeysTest, addresses_do_not_wait_for_each_other) {
  fail_often("192.0.2.1", FailedKeys::burst, start);
  EXPECT_EQ(wait_time("192.0.2.2", start), 0s);
  EXPECT_EQ(wait_time("2001:db8::1", start), 0s);
}

TEST_F(FailedKeysTest, the_port_does_not_make_another_address) {
  for (uint16_t port = 1; port <= FailedKeys::burst; ++port) keys_.note(peer_at("192.0.2.1", port), start);
  EXPECT_GT(keys_.wait_time(peer_at("192.0.2.1", 9), start), 0s);
}

TEST_F(FailedKeysTest, this_machine_waits_like_any_other_whichever_of_its_addresses_it_takes) {
  for (int i = 1; i <= FailedKeys::burst; ++i) keys_.note(peer_at(fmt::format("127.0.0.{}", i)), start);
  for (const char* address : {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"}) {
    EXPECT_GT(wait_time(address, start), 0s) << address;
  }
  EXPECT_EQ(keys_.addresses(), 1U);
}

TEST_F(FailedKeysTest, ipv6_counts_by_its_64_and_ipv4_by_all_its_bits) {
  for (int i = 0; i < FailedKeys::burst; ++i) keys_.note(peer_at(fmt::format("2001:db8:0:1::{:x}", i)), start);
  EXPECT_GT(wait_time("2001:db8:0:1:ffff::1", start), 0s);
  EXPECT_EQ(wait_time("2001:db8:0:2::1", start), 0s);
  // The way a socket for both families tells an IPv4 peer.
  fail_often("::ffff:192.0.2.1", FailedKeys::burst, start);
  EXPECT_GT(wait_time("192.0.2.1", start), 0s);
  EXPECT_EQ(wait_time("::ffff:192.0.2.2", start), 0s);
}

TEST_F(FailedKeysTest, memory_is_bounded_and_who_was_wrong_longest_ago_is_forgotten) {
  fail_often("192.0.2.1", FailedKeys::burst, start);
  fail_often("192.0.2.2", FailedKeys::burst, start);
  fail_often("192.0.2.1", 1, start);  // again: now 192.0.2.2 is the oldest
  for (size_t i = 0; i + 1 < FailedKeys::max_addresses; ++i) {
    keys_.note(peer_at(fmt::format("10.0.{}.{}", i / 256, i % 256)), start);
  }
  EXPECT_EQ(keys_.addresses(), FailedKeys::max_addresses);
  EXPECT_GT(wait_time("192.0.2.1", start), 0s);
  EXPECT_EQ(wait_time("192.0.2.2", start), 0s);
}

}  // namespace
}  // namespace cweb::mgnt
