#include "net/deadline_list.h"

#include <gtest/gtest.h>

#include <memory>

namespace cweb::net {
namespace {

TEST(DeadlineListTest, TheyComeInOrder) {
  DeadlineList list(100);
  Deadline first, second;
  list.arm(first, 1000);
  list.arm(second, 1050);
  EXPECT_EQ(list.next_in_ms(1000), 100);
  EXPECT_EQ(list.take_due(1099), nullptr);
  EXPECT_EQ(list.take_due(1100), &first);
  EXPECT_EQ(list.take_due(1100), nullptr);
  EXPECT_EQ(list.take_due(5000), &second);
  EXPECT_EQ(list.next_in_ms(5000), -1);
}

TEST(DeadlineListTest, ArmingAgainStartsTheTimeAgain) {
  DeadlineList list(100);
  Deadline first, second;
  list.arm(first, 1000);
  list.arm(second, 1010);
  list.arm(first, 1050);
  EXPECT_EQ(list.take_due(1120), &second);
  EXPECT_EQ(list.take_due(1120), nullptr);
  EXPECT_EQ(list.take_due(1150), &first);
}

TEST(DeadlineListTest, ArmingInAnotherListLeavesTheFirst) {
  DeadlineList minutes(60'000), seconds(1000);
  Deadline deadline;
  minutes.arm(deadline, 0);
  seconds.arm(deadline, 0);
  EXPECT_EQ(minutes.take_due(1'000'000), nullptr);
  EXPECT_EQ(seconds.take_due(1000), &deadline);
}

TEST(DeadlineListTest, DisarmedAndDestroyedOnesNeverCome) {
  DeadlineList list(10);
  Deadline disarmed;
  auto destroyed = std::make_unique<Deadline>();
  list.arm(disarmed, 0);
  list.arm(*destroyed, 0);
  disarmed.disarm();
  EXPECT_FALSE(disarmed.armed());
  destroyed.reset();
  EXPECT_EQ(list.take_due(1000), nullptr);
  EXPECT_EQ(list.next_in_ms(0), -1);
}

TEST(DeadlineListTest, ADeadlineThatIsLateIsDueNow) {
  DeadlineList list(10);
  Deadline deadline;
  list.arm(deadline, 0);
  EXPECT_EQ(list.next_in_ms(500), 0);
}

}  // namespace
}  // namespace cweb::net
