// The log without a server: its writer, its files, and what becomes of lines that cannot be written.
#include "server/access_log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace cweb::server {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
namespace fs = std::filesystem;

class AccessLogTest : public testing::Test {
 protected:
  AccessLogTest() {
    std::string pattern = fs::temp_directory_path() / "cweb-access-log-XXXXXX";
    directory_ = mkdtemp(pattern.data());
    std::signal(SIGPIPE, SIG_IGN);  // as the server does
  }
  ~AccessLogTest() override { fs::remove_all(directory_); }

  std::string path(const std::string& name) const { return directory_ / name; }
  static std::string text_of(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  static long lines_in(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

  std::unique_ptr<AccessLog> open(const std::string& path) {
    auto log = AccessLog::open(path, AccessLogFormat::common, metrics_);
    EXPECT_TRUE(log) << log.error().message;
    return log ? std::move(*log) : nullptr;
  }
  AccessRecord request(std::string_view target) {
    return {.method = "GET", .target = target, .protocol = "HTTP/1.1", .status = 200};
  }
  /// More than a ring holds, in long lines.
  uint64_t overfill(AccessStream& stream) {
    const std::string target(8'000, 'x');
    uint64_t written = 0;
    while (loop_.dropped_log_lines.read() < 10) {
      stream.write(request(target));
      ++written;
    }
    return written;
  }

  fs::path directory_;
  ServerMetrics metrics_;
  LoopMetrics& loop_ = metrics_.add_loop();
};

TEST_F(AccessLogTest, lines_are_in_the_file_when_the_log_has_ended) {
  auto log = open(path("log"));
  AccessStream& first = log->add_loop(loop_);
  AccessStream& second = log->add_loop(metrics_.add_loop());
  log->start();
  for (int i = 0; i < 100; ++i) {
    first.write(request("/first"));
    second.write(request("/second"));
  }
  log->finish();
  const std::string text = text_of(path("log"));
  EXPECT_EQ(lines_in(text), 200);
  EXPECT_THAT(text, StartsWith(":: - - ["));
  EXPECT_EQ(metrics_.written_log_lines.read(), 200U);
  EXPECT_EQ(metrics_.lost_log_lines.read(), 0U);
}

TEST_F(AccessLogTest, lines_are_in_the_file_soon) {
  auto log = open(path("log"));
  AccessStream& stream = log->add_loop(loop_);
  log->start();
  stream.write(request("/only"));
  while (text_of(path("log")).empty()) std::this_thread::yield();
  EXPECT_THAT(text_of(path("log")), HasSubstr("GET /only"));
}

TEST_F(AccessLogTest, a_file_is_appended_to_and_not_for_everybody_to_read) {
  std::ofstream(path("log")) << "before\n";
  {
    auto log = open(path("log"));
    AccessStream& stream = log->add_loop(loop_);
    log->start();
    stream.write(request("/x"));
  }
  EXPECT_THAT(text_of(path("log")), StartsWith("before\n:: "));
  auto log = open(path("new"));
  struct stat status{};
  ASSERT_EQ(stat(path("new").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & (S_IWGRP | S_IRWXO), 0U);
}

TEST_F(AccessLogTest, a_file_that_cannot_be_opened_is_one_sentence_that_names_it) {
  const auto missing = AccessLog::open(path("no/such/log"), AccessLogFormat::common, metrics_);
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, HasSubstr(path("no/such/log")));
  const auto directory = AccessLog::open(directory_, AccessLogFormat::common, metrics_);
  ASSERT_FALSE(directory);
  EXPECT_THAT(directory.error().message, HasSubstr("directory"));
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_FALSE(AccessLog::open(path("pipe"), AccessLogFormat::common, metrics_)) << "a pipe that nobody reads";
}

TEST_F(AccessLogTest, after_reopening_lines_go_to_the_new_file) {
  auto log = open(path("log"));
  AccessStream& stream = log->add_loop(loop_);
  log->start();
  stream.write(request("/old"));
  fs::rename(path("log"), path("log.1"));
  log->reopen();
  while (!fs::exists(path("log"))) std::this_thread::yield();
  stream.write(request("/new"));
  log->finish();
  EXPECT_THAT(text_of(path("log.1")), HasSubstr("GET /old"));
  EXPECT_EQ(lines_in(text_of(path("log.1"))), 1);
  EXPECT_THAT(text_of(path("log")), HasSubstr("GET /new"));
  EXPECT_EQ(lines_in(text_of(path("log"))), 1);
}

TEST_F(AccessLogTest, a_full_disk_drops_lines_and_counts_them) {
  auto log = open("/dev/full");
  AccessStream& stream = log->add_loop(loop_);
  log->start();
  const uint64_t lines = overfill(stream);
  log->finish();
  EXPECT_EQ(metrics_.written_log_lines.read(), 0U);
  EXPECT_EQ(loop_.dropped_log_lines.read() + metrics_.lost_log_lines.read(), lines);
}

TEST_F(AccessLogTest, a_pipe_whose_reader_stops_delays_nobody_and_what_it_gets_are_whole_lines) {
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  const UniqueFd reader(::open(path("pipe").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  ASSERT_TRUE(reader);
  auto log = open(path("pipe"));
  AccessStream& stream = log->add_loop(loop_);
  log->start();
  const uint64_t lines = overfill(stream);
  log->finish();  // does not wait for the reader either
  std::string text;
  char piece[4096];
  for (ssize_t count = 0; (count = read(reader.get(), piece, sizeof piece)) > 0;) {
    text.append(piece, static_cast<size_t>(count));
  }
  EXPECT_GT(text.size(), 4'096U) << "as much as the pipe holds";
  EXPECT_EQ(static_cast<uint64_t>(lines_in(text)), metrics_.written_log_lines.read());
  EXPECT_EQ(metrics_.written_log_lines.read() + metrics_.lost_log_lines.read() + loop_.dropped_log_lines.read(), lines);
}

TEST_F(AccessLogTest, a_pipe_whose_reader_goes_on_gets_everything_in_order) {
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  const UniqueFd reader(::open(path("pipe").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  auto log = open(path("pipe"));
  AccessStream& stream = log->add_loop(loop_);
  log->start();
  // Ten times what a pipe holds, so that the writer has to come back for the rest of a line.
  constexpr int lines = 100;
  const std::string filling(7'000, 'x');
  for (int i = 0; i < lines; ++i) stream.write(request("/" + std::to_string(i) + filling));
  std::string text;
  while (lines_in(text) < lines) {
    char piece[4096];
    const ssize_t count = read(reader.get(), piece, sizeof piece);
    if (count > 0) text.append(piece, static_cast<size_t>(count));
  }
  size_t at = 0;
  for (int i = 0; i < lines; ++i) {
    const size_t end = text.find('\n', at);
    EXPECT_THAT(text.substr(at, end - at), HasSubstr("GET /" + std::to_string(i) + "x"));
    at = end + 1;
  }
  EXPECT_EQ(loop_.dropped_log_lines.read(), 0U);
}

TEST_F(AccessLogTest, a_line_that_a_change_of_files_cuts_is_in_neither_half_of_the_new_one) {
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  const UniqueFd reader(::open(path("pipe").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  auto log = open(path("pipe"));
  AccessStream& stream = log->add_loop(loop_);
  log->start();
  constexpr int lines = 40;
  for (int i = 0; i < lines; ++i) stream.write(request("/" + std::string(8'000, 'x')));
  // The pipe is full in the middle of a line when its name becomes a file's.
  while (metrics_.written_log_lines.read() < 5) std::this_thread::yield();
  fs::rename(path("pipe"), path("pipe.1"));
  log->reopen();
  log->finish();
  const std::string text = text_of(path("pipe"));
  EXPECT_THAT(text, StartsWith(":: - - ["));
  EXPECT_EQ(text.back(), '\n');
  EXPECT_EQ(static_cast<uint64_t>(lines), metrics_.written_log_lines.read() + metrics_.lost_log_lines.read());
  EXPECT_EQ(metrics_.lost_log_lines.read(), 1U);
}

}  // namespace
}  // namespace cweb::server
