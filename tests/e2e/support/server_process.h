// The real server as a child process: started on a free port, asked to end at the end of the test, and looked at all
// the while. A test fails when its server dies by a signal that nobody asked for, ends with a failure, or prints what a
// sanitizer found; the server's log is printed with every failure.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "child_process.h"

namespace cweb::e2e {

/// Descriptors that every server of a test has, so that module code can talk to the test without a file or a socket.
inline constexpr int events_fd = 201;  ///< lines written here reach ServerProcess::next_event
inline constexpr int gate_fd = 202;    ///< a read of one byte here returns when ServerProcess::open_gate lets it

/// Where the server compiles: what deploys come to has to be the same in both modes.
enum class Compiling { in_helpers, in_process };
std::vector<std::string> options_for(Compiling compiling);
std::string to_string(Compiling compiling);
/// For the names of tests.
void PrintTo(Compiling compiling, std::ostream* out);

/// Path of the binary under test.
std::string cweb_binary();
/// Path of a file of the project, e.g. "modules/counter.c".
std::string project_file(const std::string& path);
std::string read_project_file(const std::string& path);

/// Is there a parent that starts the server anew when it dies? Most tests have none: then pid() is the server itself,
/// and its death is the test's failure.
enum class Supervision { none, by_parent };

class ServerProcess {
 public:
  /// Starts `cweb serve` with these options, on a free port unless they name one, and waits for its ready line. A
  /// server that does not come up fails the test; port() is then 0.
  explicit ServerProcess(std::vector<std::string> options = {}, std::vector<std::string> environment = {},
                         Supervision supervision = Supervision::none);
  /// Ends the server with SIGTERM unless the test did, and checks how it ended.
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  uint16_t port() const { return port_; }
  /// The process that was started.
  pid_t pid() const { return pid_; }
  std::string url(const std::string& path = "") const;
  /// The ready line as it came.
  const std::string& ready_line() const { return ready_line_; }
  std::string log() const { return log_.text(); }

  /// The next line that module code wrote to events_fd; empty when none came in time.
  std::string next_event(std::chrono::milliseconds time);
  std::string next_event();
  /// Everything that was written to events_fd and not read yet. After stop() this is all there ever will be.
  std::vector<std::string> remaining_events();
  /// Lets `count` reads of gate_fd return.
  void open_gate(size_t count = 1);

  /// Asks the server to end; returns at once.
  void terminate();
  /// terminate(), unless that was done, and waits for the end: true when it ended by itself with exit code 0.
  bool stop();
  /// Waits for an end that was not asked for by this: the status as waitpid(2) gives it. There is nothing to stop then.
  int await_end();
  /// For a test that ends its server in another way.
  void expect_no_clean_end() { clean_end_expected_ = false; }

 private:
  bool start(std::vector<std::string> options, std::vector<std::string> environment);
  bool read_ready_line(int fd);
  bool fill_events(int time_ms);
  int take_end(pid_t pid) const;

  OutputFile log_;
  UniqueFd events_;
  UniqueFd gate_;
  std::string event_text_;
  std::string ready_line_;
  pid_t pid_ = -1;
  uint16_t port_ = 0;
  bool terminated_ = false;
  bool clean_end_expected_ = true;
};

}  // namespace cweb::e2e
