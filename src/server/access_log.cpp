#include "server/access_log.h"

#include <pthread.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/log.h"

namespace cweb::server {
namespace {

using namespace std::chrono_literals;

/// Between two looks into the rings: a ring holds what a loop can log in that time.
constexpr auto pause_at_work = 5ms;
constexpr auto pause_at_rest = 50ms;
constexpr auto finishing_time = 1s;
/// A disk that is full now and then is told of this often.
constexpr auto between_warnings = 60s;

uint64_t lines_in(std::span<const char> text) {
  return static_cast<uint64_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

AccessStream::AccessStream(AccessLogFormat format, LoopMetrics& metrics) : format_(format), metrics_(metrics) {}

void AccessStream::write(const AccessRecord& record) {
  line_.clear();
  append_access_line(line_, format_, record);
  if (!ring_.push(line_)) metrics_.dropped_log_lines.add();
}

Expected<std::unique_ptr<AccessLog>> AccessLog::open(const std::string& path, AccessLogFormat format,
                                                     ServerMetrics& metrics) {
  auto file = LogFile::open(path);
  if (!file) return std::unexpected(file.error());
  return std::unique_ptr<AccessLog>(new AccessLog(std::move(*file), format, metrics));
}

AccessLog::AccessLog(LogFile file, AccessLogFormat format, ServerMetrics& metrics)
    : format_(format), metrics_(metrics), file_(std::move(file)) {}

AccessLog::~AccessLog() {
  finish();
}

AccessStream& AccessLog::add_loop(LoopMetrics& metrics) {
  return *streams_.emplace_back(std::make_unique<AccessStream>(format_, metrics));
}

void AccessLog::start() {
  thread_ = std::thread([this] { work(); });
}

void AccessLog::reopen() {
  const std::lock_guard lock(mutex_);
  reopening_ = true;
  wake_.notify_one();
}

void AccessLog::finish() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    finishing_ = true;
    wake_.notify_one();
  }
  thread_.join();
}

// ------------------------------------------------------------------------------------------- the writer's thread

void AccessLog::work() {
  pthread_setname_np(pthread_self(), "cweb-access-log");
  std::chrono::milliseconds pause = pause_at_rest;
  for (bool finishing = false; !finishing;) {
    bool reopening = false;
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, pause, [&] { return reopening_ || finishing_; });
      reopening = std::exchange(reopening_, false);
      finishing = finishing_;
    }
    // What came before belongs to the old file.
    const bool worked = write_all();
    if (reopening) reopen_file();
    pause = worked ? pause_at_work : pause_at_rest;
  }
  const auto end = std::chrono::steady_clock::now() + finishing_time;
  while (!is_empty() && std::chrono::steady_clock::now() < end) {
    if (!write_all()) std::this_thread::sleep_for(pause_at_work);
  }
  lose_everything();
}

bool AccessLog::is_empty() const {
  return std::all_of(streams_.begin(), streams_.end(),
                     [](const auto& stream) { return stream->ring_.front().empty(); });
}

/// As far as the file takes it; true when it took anything.
bool AccessLog::write_all() {
  bool worked = false;
  // A line is finished before one of another loop begins.
  if (unfinished_ != nullptr && !write_stream(*unfinished_, worked)) return worked;
  for (const auto& stream : streams_) {
    if (!write_stream(*stream, worked)) return worked;
  }
  warn_of_losses(0);
  return worked;
}

/// False when the file takes no more now.
bool AccessLog::write_stream(AccessStream& stream, bool& worked) {
  for (;;) {
    const std::span<const char> text = stream.ring_.front();
    if (text.empty()) return true;
    const LogFile::Written written = file_.write(text);
    if (written.bytes > 0) {
      worked = true;
      metrics_.written_log_lines.add(lines_in(text.first(written.bytes)));
      unfinished_ = text[written.bytes - 1] == '\n' ? nullptr : &stream;
      stream.ring_.pop(written.bytes);
    }
    if (written.bytes < text.size()) {
      warn_of_losses(written.error);
      return false;
    }
  }
}

void AccessLog::reopen_file() {
  if (unfinished_ != nullptr) lose_rest_of_line(*std::exchange(unfinished_, nullptr));
  if (const auto reopened = file_.reopen(); !reopened) {
    log::warn("{}; the old file is written on", reopened.error().message);
  } else {
    log::info("the access log {} was opened anew", file_.path());
  }
}

/// Its beginning is in another file.
void AccessLog::lose_rest_of_line(AccessStream& stream) {
  for (;;) {
    const std::span<const char> text = stream.ring_.front();
    if (text.empty()) return;
    const auto line_end = std::find(text.begin(), text.end(), '\n');
    if (line_end != text.end()) {
      stream.ring_.pop(static_cast<size_t>(line_end - text.begin()) + 1);
      metrics_.lost_log_lines.add();
      return;
    }
    stream.ring_.pop(text.size());
  }
}

void AccessLog::lose_everything() {
  uint64_t lost = 0;
  for (const auto& stream : streams_) {
    for (std::span<const char> text = stream->ring_.front(); !text.empty(); text = stream->ring_.front()) {
      lost += lines_in(text);
      stream->ring_.pop(text.size());
    }
  }
  metrics_.lost_log_lines.add(lost);
  if (lost > 0) log::warn("{} lines of the access log {} could not be written", lost, file_.path());
}

/// One warning when lines cannot be written or are being dropped, and no other one soon.
void AccessLog::warn_of_losses(int error) {
  uint64_t dropped = 0;
  for (const auto& loop : metrics_.loops()) dropped += loop->dropped_log_lines.read();
  if (error == 0 && dropped == dropped_before_) return;
  dropped_before_ = dropped;
  const auto now = std::chrono::steady_clock::now();
  if (warned_at_ && now - *warned_at_ < between_warnings) return;
  warned_at_ = now;
  if (error != 0) {
    log::warn("the access log {} cannot be written: {}; lines are dropped when {} MiB of a loop's wait", file_.path(),
              std::strerror(error), AccessStream::ring_bytes >> 20);
  } else {
    log::warn("the access log {} does not take lines as fast as they come: {} are dropped so far", file_.path(),
              dropped);
  }
}

}  // namespace cweb::server
