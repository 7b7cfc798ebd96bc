#include "runtime/emulated_tls.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

namespace cweb::runtime {
namespace {

/// As the compiler lays it out.
struct Control {
  size_t size;
  size_t alignment;
  uintptr_t index;
  const void* initial_value;
};

const int forty_two = 42;

TEST(EmulatedTlsTest, AVariableBeginsWithItsInitialValue) {
  EmulatedTls tls;
  Control with{sizeof(int), alignof(int), 0, &forty_two};
  Control without{100, 64, 0, nullptr};
  EXPECT_EQ(*static_cast<int*>(tls.address(&with)), 42);
  auto* zeroes = static_cast<char*>(tls.address(&without));
  EXPECT_EQ(reinterpret_cast<uintptr_t>(zeroes) % 64, 0U);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(zeroes[i], 0);
}

TEST(EmulatedTlsTest, EachThreadHasItsOwn) {
  EmulatedTls tls;
  Control control{sizeof(int), alignof(int), 0, &forty_two};
  auto* mine = static_cast<int*>(tls.address(&control));
  *mine = 1;
  std::thread([&] {
    auto* theirs = static_cast<int*>(tls.address(&control));
    EXPECT_NE(theirs, mine);
    EXPECT_EQ(*theirs, 42);
    *theirs = 2;
    EXPECT_EQ(tls.address(&control), theirs);
  }).join();
  EXPECT_EQ(tls.address(&control), mine);
  EXPECT_EQ(*mine, 1);
}

TEST(EmulatedTlsTest, VersionsShareNothing) {
  EmulatedTls old_version, new_version;
  Control of_old{sizeof(int), alignof(int), 0, nullptr};
  Control of_new{sizeof(int), alignof(int), 0, nullptr};
  auto* old_value = static_cast<int*>(old_version.address(&of_old));
  *old_value = 7;
  EXPECT_EQ(*static_cast<int*>(new_version.address(&of_new)), 0);
  EXPECT_EQ(*static_cast<int*>(old_version.address(&of_old)), 7);
}

TEST(EmulatedTlsTest, AVersionThatComesAfterAnotherIsNotTakenForIt) {
  for (int i = 0; i < 100; ++i) {
    EmulatedTls version;
    Control control{sizeof(int), alignof(int), 0, nullptr};
    auto* value = static_cast<int*>(version.address(&control));
    ASSERT_EQ(*value, 0);
    *value = 1;
  }
}

TEST(EmulatedTlsTest, ThreadsMayOutliveTheVersionAndTheVersionThreads) {
  auto version = std::make_unique<EmulatedTls>();
  Control control{sizeof(int), alignof(int), 0, nullptr};
  for (int i = 0; i < 50; ++i) std::thread([&] { version->address(&control); }).join();
  std::thread([&] {
    version->address(&control);
    version.reset();
    EmulatedTls next;
    Control fresh{sizeof(int), alignof(int), 0, nullptr};
    EXPECT_EQ(*static_cast<int*>(next.address(&fresh)), 0);
  }).join();
}

TEST(EmulatedTlsTest, ThreadsThatComeAtOnceAgreeOnTheVariable) {
  EmulatedTls tls;
  std::vector<Control> controls(50, Control{sizeof(int), alignof(int), 0, nullptr});
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (Control& control : controls) *static_cast<int*>(tls.address(&control)) = t;
      for (Control& control : controls) EXPECT_EQ(*static_cast<int*>(tls.address(&control)), t);
    });
  }
  for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace cweb::runtime
