#include "mgnt/output_printer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <string_view>

#include "base/json_line.h"
#include "base/log.h"

namespace cweb::mgnt {
namespace {

constexpr size_t piece_bytes = size_t{64} << 10;
/// A pipe that can be written to has room for so much: a write of it does not wait.
constexpr size_t write_bytes = 4096;
constexpr int look_ms = 100;

/// A pipe that nobody reads fills to its half with what modules print: the rest is for the server's log, which waits
/// when it has none.
bool has_room(int fd) {
  pollfd ready{.fd = fd, .events = POLLOUT, .revents = 0};
  if (poll(&ready, 1, look_ms) <= 0) return false;
  const int capacity = fcntl(fd, F_GETPIPE_SZ);
  int unread = 0;
  if (capacity <= 0 || ioctl(fd, FIONREAD, &unread) != 0 || unread <= capacity / 2) return true;
  // No event tells when it has been read so far.
  std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return false;
}

}  // namespace

void append_log_line(std::string& out, const EventQueue::Item& item) {
  const auto append = [&](std::string_view text) { out.append(text); };
  const bool is_json = log::format() == log::Format::json;
  if (!item.event) {
    const std::string missing =
        fmt::format("{} lines that modules printed are missing here: they came faster than they were read", item.lost);
    if (is_json) return log::write_json_line(append, std::chrono::system_clock::now(), "warning", missing);
    out.append("cweb: ").append(missing).append("\n");
    return;
  }
  const Event& event = *item.event;
  if (is_json) {
    out.append("{\"time\":\"");
    log::json_line::timestamp(append, event.time);
    out.append("\",\"level\":\"info\"");
    append_member(out, "module", event.module);
    if (event.version != 0) fmt::format_to(std::back_inserter(out), ",\"version\":{}", event.version);
    append_member(out, "stream", event.stream == runtime::OutputStream::out ? "stdout" : "stderr");
    append_member(out, "message", event.text);
    out.append(event.cut ? ",\"cut\":true}\n" : "}\n");
    return;
  }
  out.append("[");
  append_printable(out, event.module);
  out.append("] ");
  append_printable(out, event.text);
  out.append(event.cut ? " ...\n" : "\n");
}

OutputPrinter::OutputPrinter(EventLog& events, int fd)
    : fd_(fd),
      events_(events.subscribe({.modules = {}, .output_only = true}, std::nullopt, EventLog::Reader::own)),
      thread_([this] { work(); }) {}

OutputPrinter::~OutputPrinter() {
  finish();
}

void OutputPrinter::finish() {
  {
    const std::lock_guard lock(mutex_);
    if (!ends_at_) ends_at_ = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void OutputPrinter::work() {
  pthread_setname_np(pthread_self(), "cweb-output");
  events_->wake_by([this] {
    const std::lock_guard lock(mutex_);
    woken_ = true;
    wake_.notify_one();
  });
  for (;;) {
    const auto items = events_->take(piece_bytes);
    write_items(items);
    if (is_late()) return;
    if (!items.empty()) continue;
    std::unique_lock lock(mutex_);
    if (ends_at_ && !woken_) return;
    wake_.wait(lock, [&] { return woken_ || ends_at_; });
    woken_ = false;
  }
}

bool OutputPrinter::is_late() {
  const std::lock_guard lock(mutex_);
  return ends_at_ && std::chrono::steady_clock::now() > *ends_at_;
}

/// Whole lines at a time, so that the log's own lines do not come between.
void OutputPrinter::write_items(const std::vector<EventQueue::Item>& items) {
  std::string text, line;
  for (const EventQueue::Item& item : items) {
    line.clear();
    append_log_line(line, item);
    if (text.size() + line.size() > write_bytes) {
      write_text(text);
      text.clear();
    }
    text += line;
  }
  write_text(text);
}

/// Gives up when nobody reads to the end, and when it is time to leave.
void OutputPrinter::write_text(std::string_view text) {
  while (!text.empty() && !is_late()) {
    if (!has_room(fd_)) continue;
    const ssize_t written = write(fd_, text.data(), std::min(text.size(), write_bytes));
    if (written < 0 && errno != EINTR && errno != EAGAIN) return;
    if (written > 0) text.remove_prefix(static_cast<size_t>(written));
  }
}

}  // namespace cweb::mgnt
