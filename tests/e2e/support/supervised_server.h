// A server with a parent, whose serving process may die.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "http_client.h"
#include "pace.h"
#include "process_facts.h"
#include "server_process.h"

namespace cweb::e2e {

class SupervisedServer : public ServerProcess {
 public:
  explicit SupervisedServer(std::vector<std::string> options = {}, std::vector<std::string> environment = {})
      : ServerProcess(std::move(options), std::move(environment), Supervision::by_parent) {}

  /// The process that serves; -1 while there is none.
  pid_t serving() const {
    const std::vector<pid_t> children = children_of(pid());
    return children.size() == 1 ? children[0] : -1;
  }
  /// Waits until another process than `before` serves, and answers.
  void wait_for_next(pid_t before) const {
    EXPECT_TRUE(eventually([&] { return serving() > 0 && serving() != before; })) << "nobody took its place";
    EXPECT_EQ(HttpClient(port()).get("/mgnt/health").status, 200);
  }
  /// Kills the process that serves, and waits for the next one to answer.
  void kill_serving(int signal_number = SIGKILL) const {
    const pid_t before = serving();
    ASSERT_GT(before, 0);
    kill(before, signal_number);
    wait_for_next(before);
  }
  /// Has every process of it ended?
  bool is_gone(pid_t process) const {
    return eventually([&] { return kill(process, 0) != 0 || processor_ticks_of(process) < 0; });
  }
};

/// How often `part` stands in `text`.
inline size_t count_of(std::string_view text, std::string_view part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

}  // namespace cweb::e2e
