#include "runtime/emulated_tls.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

namespace cweb::runtime {
namespace {

using Control = EmulatedVariable;

/// As a module gets there.
void* address(EmulatedTls& tls, Control& control) {
  uintptr_t index = __atomic_load_n(&control.index, __ATOMIC_ACQUIRE);
  if (index == 0) {
    const uintptr_t next = tls.new_index();
    const bool is_first =
        __atomic_compare_exchange_n(&control.index, &index, next, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
    if (is_first) index = next;
  }
  void* const found = tls.find(index);
  return found != nullptr ? found : tls.make({control.size, control.alignment, index, control.initial_value});
}

const int forty_two = 42;

TEST(EmulatedTlsTest, AVariableBeginsWithItsInitialValue) {
  EmulatedTls tls;
  Control with{sizeof(int), alignof(int), 0, &forty_two};
  Control without{100, 64, 0, nullptr};
  EXPECT_EQ(*static_cast<int*>(address(tls, with)), 42);
  auto* zeroes = static_cast<char*>(address(tls, without));
  EXPECT_EQ(reinterpret_cast<uintptr_t>(zeroes) % 64, 0U);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(zeroes[i], 0);
}

TEST(EmulatedTlsTest, EachThreadHasItsOwn) {
  EmulatedTls tls;
  Control control{sizeof(int), alignof(int), 0, &forty_two};
  auto* mine = static_cast<int*>(address(tls, control));
  *mine = 1;
  std::thread([&] {
    auto* theirs = static_cast<int*>(address(tls, control));
    EXPECT_NE(theirs, mine);
    EXPECT_EQ(*theirs, 42);
    *theirs = 2;
    EXPECT_EQ(address(tls, control), theirs);
  }).join();
  EXPECT_EQ(address(tls, control), mine);
  EXPECT_EQ(*mine, 1);
}

TEST(EmulatedTlsTest, VersionsShareNothing) {
  EmulatedTls old_version, new_version;
  Control of_old{sizeof(int), alignof(int), 0, nullptr};
  Control of_new{sizeof(int), alignof(int), 0, nullptr};
  auto* old_value = static_cast<int*>(address(old_version, of_old));
  *old_value = 7;
  EXPECT_EQ(*static_cast<int*>(address(new_version, of_new)), 0);
  EXPECT_EQ(*static_cast<int*>(address(old_version, of_old)), 7);
}

TEST(EmulatedTlsTest, AVersionThatComesAfterAnotherIsNotTakenForIt) {
  for (int i = 0; i < 100; ++i) {
    EmulatedTls version;
    Control control{sizeof(int), alignof(int), 0, nullptr};
    auto* value = static_cast<int*>(address(version, control));
    ASSERT_EQ(*value, 0);
    *value = 1;
  }
}

TEST(EmulatedTlsTest, ThreadsMayOutliveTheVersionAndTheVersionThreads) {
  auto version = std::make_unique<EmulatedTls>();
  Control control{sizeof(int), alignof(int), 0, nullptr};
  for (int i = 0; i < 50; ++i) std::thread([&] { address(*version, control); }).join();
  std::thread([&] {
    address(*version, control);
    version.reset();
    EmulatedTls next;
    Control fresh{sizeof(int), alignof(int), 0, nullptr};
    EXPECT_EQ(*static_cast<int*>(address(next, fresh)), 0);
  }).join();
}

TEST(EmulatedTlsTest, WhatNoVariableHasIsNotFoundAndWhatNoCompilerMakesIsNotPossible) {
  EmulatedTls tls;
  EXPECT_EQ(tls.find(0), nullptr);
  EXPECT_EQ(tls.find(1), nullptr);
  EXPECT_EQ(tls.last_index(), 0U);
  Control control{sizeof(int), alignof(int), 0, nullptr};
  EXPECT_NE(address(tls, control), nullptr);
  EXPECT_EQ(tls.last_index(), 1U);
  EXPECT_EQ(tls.find(2), nullptr);
  EXPECT_EQ(tls.find(SIZE_MAX), nullptr);
  EXPECT_TRUE((Control{size_t{64} << 20, 4096, 0, nullptr}.is_possible()));
  EXPECT_TRUE((Control{0, 1, 0, nullptr}.is_possible()));
  EXPECT_FALSE((Control{SIZE_MAX - 3, 8, 0, nullptr}.is_possible()));
  EXPECT_FALSE((Control{4, 0, 0, nullptr}.is_possible()));
  EXPECT_FALSE((Control{4, 3, 0, nullptr}.is_possible()));
  EXPECT_FALSE((Control{4, SIZE_MAX / 2 + 1, 0, nullptr}.is_possible()));
}

TEST(EmulatedTlsTest, ThreadsThatComeAtOnceAgreeOnTheVariable) {
  EmulatedTls tls;
  std::vector<Control> controls(50, Control{sizeof(int), alignof(int), 0, nullptr});
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (Control& control : controls) *static_cast<int*>(address(tls, control)) = t;
      for (Control& control : controls) EXPECT_EQ(*static_cast<int*>(address(tls, control)), t);
    });
  }
  for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace cweb::runtime
