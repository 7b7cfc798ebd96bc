#include "net/tls_ticket_keys.h"

#include <gtest/gtest.h>

#include "net/tls_context.h"

namespace cweb::net {
namespace {

using Found = TicketKeys::Found;
constexpr int64_t hour = TicketKeys::lifetime_ms;

class TicketKeysTest : public testing::Test {
 protected:
  TicketKeys::Key sealing_key(int64_t at_ms) {
    TicketKeys::Key key;
    EXPECT_TRUE(keys_.sealing_key(key, at_ms));
    return key;
  }
  Found opening(const TicketKeys::Key& key, int64_t at_ms) {
    TicketKeys::Key found;
    const Found result = keys_.opening_key(key.name.data(), found, at_ms);
    if (result != Found::none) {
      EXPECT_EQ(found.cipher, key.cipher);
    }
    return result;
  }

  const TlsLibrary library_ = make_tls_library();
  TicketKeys keys_{library_.get()};
};

TEST_F(TicketKeysTest, one_key_seals_for_an_hour_and_opens_for_one_more) {
  const TicketKeys::Key first = sealing_key(0);
  EXPECT_EQ(sealing_key(hour - 1).name, first.name);
  EXPECT_EQ(opening(first, hour - 1), Found::current);
  const TicketKeys::Key second = sealing_key(hour);
  EXPECT_NE(second.name, first.name);
  EXPECT_NE(second.cipher, first.cipher);
  EXPECT_NE(second.mac, first.mac);
  EXPECT_EQ(opening(first, hour), Found::previous);
  EXPECT_EQ(opening(second, hour), Found::current);
  EXPECT_EQ(opening(first, 2 * hour), Found::none);
  EXPECT_EQ(opening(second, 2 * hour), Found::previous);
}

TEST_F(TicketKeysTest, a_key_that_nobody_asked_for_in_two_hours_is_forgotten) {
  const TicketKeys::Key first = sealing_key(0);
  EXPECT_EQ(opening(first, 2 * hour), Found::none);
}

TEST_F(TicketKeysTest, a_name_that_is_not_known_opens_nothing) {
  TicketKeys::Key other = sealing_key(0);
  other.name[0] ^= 1;
  EXPECT_EQ(opening(other, 1), Found::none);
}

}  // namespace
}  // namespace cweb::net
