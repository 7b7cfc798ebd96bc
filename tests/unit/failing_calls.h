// System calls that fail on purpose, as on a full or broken disk: the kernel refuses them to one thread (seccomp), so
// it needs no rights, no mount and no seam in the code under test.
#pragma once

#include <gtest/gtest.h>
#include <seccomp.h>

#include <functional>
#include <thread>
#include <vector>

namespace cweb {

struct FailingCall {
  int number = 0;                       ///< SCMP_SYS(...)
  int error = 0;                        ///< errno
  std::vector<scmp_arg_cmp> when = {};  ///< SCMP_A0(...) and so on; empty: always
};

/// Calls `work` on a thread to which this call fails; threads that it starts inherit that.
inline void with_failing(const FailingCall& call, const std::function<void()>& work) {
  std::thread([&] {
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    ASSERT_NE(filter, nullptr);
    const auto action = SCMP_ACT_ERRNO(static_cast<uint16_t>(call.error));
    const auto conditions = static_cast<unsigned>(call.when.size());
    const int added = seccomp_rule_add_array(filter, action, call.number, conditions, call.when.data());
    EXPECT_EQ(added, 0);
    EXPECT_EQ(seccomp_load(filter), 0);
    seccomp_release(filter);
    work();
  }).join();
}

}  // namespace cweb
