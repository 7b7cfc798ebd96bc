// System calls that fail on purpose, as on a full or broken disk: the kernel refuses them to one thread (seccomp), so
// it needs no rights, no mount and no seam in the code under test.
#pragma once

#include <gtest/gtest.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <seccomp.h>

#include <atomic>
#include <functional>
#include <future>
#include <thread>
#include <vector>

namespace cweb {

struct FailingCall {
  int number = 0;                       ///< SCMP_SYS(...)
  int error = 0;                        ///< errno
  std::vector<scmp_arg_cmp> when = {};  ///< SCMP_A0(...) and so on; empty: always
};

/// Of a write(): with short ones the undefined behaviour sanitizer asks the kernel whether memory is there.
inline const scmp_arg_cmp longer_than_a_probe = SCMP_A2(SCMP_CMP_GT, 24);

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

/// Calls `work` on a thread that is held up at its first of these calls until `meanwhile` has returned: what
/// somebody else does at the last moment.
inline void with_interruption(const std::vector<int>& numbers, const std::function<void()>& meanwhile,
                              const std::function<void()>& work) {
  std::promise<int> loaded;
  std::atomic<bool> is_done{false};
  std::thread held([&] {
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    for (const int number : numbers) EXPECT_EQ(seccomp_rule_add(filter, SCMP_ACT_NOTIFY, number, 0), 0);
    EXPECT_EQ(seccomp_load(filter), 0);
    loaded.set_value(seccomp_notify_fd(filter));
    work();
    is_done = true;
    seccomp_release(filter);
  });
  const int calls = loaded.get_future().get();
  bool is_first = true;
  for (pollfd ready{calls, POLLIN, 0}; !is_done;) {
    constexpr int look_again_ms = 10;
    if (poll(&ready, 1, look_again_ms) != 1 || (ready.revents & POLLIN) == 0) continue;
    seccomp_notif request{};
    if (seccomp_notify_receive(calls, &request) != 0) continue;
    if (is_first) meanwhile();
    is_first = false;
    seccomp_notif_resp answer{.id = request.id, .val = 0, .error = 0, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
    EXPECT_EQ(seccomp_notify_respond(calls, &answer), 0);
  }
  held.join();
  seccomp_reset(nullptr, SCMP_ACT_ALLOW);  // closes what it listened on
  EXPECT_FALSE(is_first) << "the call never came";
}

}  // namespace cweb
