#include "base/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <memory>

#include "base/json_line.h"

namespace cweb::log {
namespace {

using Clock = std::chrono::system_clock;

/// A signal handler reads it.
std::atomic<Format> current_format = Format::text;

std::string_view name_of(spdlog::level::level_enum level) {
  const auto name = spdlog::level::to_string_view(level);
  return {name.data(), name.size()};
}

class JsonFormatter final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& line) override {
    const auto append = [&](std::string_view text) { line.append(text.data(), text.data() + text.size()); };
    write_json_line(append, message.time, name_of(message.level), {message.payload.data(), message.payload.size()});
  }
  std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<JsonFormatter>(); }
};

/// Gathers text in a buffer of fixed size, so that a line of usual length is written at once and stays whole beside
/// those of other processes.
class ErrorOutput {
 public:
  ~ErrorOutput() { flush(); }
  void operator()(std::string_view text) {
    for (const char c : text) {
      if (length_ == buffer_.size()) flush();
      buffer_[length_++] = c;
    }
  }

 private:
  void flush() {
    [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, buffer_.data(), length_);
    length_ = 0;
  }

  std::array<char, 2048> buffer_;
  size_t length_ = 0;
};

}  // namespace

void set_up(Format format) {
  current_format = format;
  if (!spdlog::get("cweb")) spdlog::set_default_logger(spdlog::stderr_color_mt("cweb"));
  if (format == Format::json) {
    spdlog::set_formatter(std::make_unique<JsonFormatter>());
  } else {
    spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
  }
  spdlog::flush_on(spdlog::level::info);
}

Format format() {
  return current_format;
}

void say(spdlog::level::level_enum level, std::string_view line) {
  ErrorOutput output;
  const auto append = [&](std::string_view text) { output(text); };
  if (format() == Format::json) {
    // Whose line it is goes without saying there.
    constexpr std::string_view speaker = "cweb: ";
    if (line.starts_with(speaker)) line.remove_prefix(speaker.size());
    return write_json_line(append, Clock::now(), name_of(level), line);
  }
  append(line);
  append("\n");
}

}  // namespace cweb::log
