// What a server tells of as it happens: GET /mgnt/events, read beside other things to wait for. One thread.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/client.h"
#include "cli/client_transfer.h"
#include "cli/event_parser.h"

namespace cweb::cli {

struct ServerEvent {
  std::string type;     ///< "output", "fault" ...; "hello" is the stream's first
  nlohmann::json json;  ///< an object
};

class EventStream {
 public:
  static Expected<std::unique_ptr<EventStream>> create(ServerAddress address);
  ~EventStream();
  EventStream(const EventStream&) = delete;
  EventStream& operator=(const EventStream&) = delete;

  /// Which events: those of these modules, or all. `after`: a number beyond which what is kept is told first; none:
  /// only what happens from now on. Goes on where it ended when it is opened again.
  void open(const std::vector<std::string>& modules, std::optional<uint64_t> after);

  enum class State {
    connecting,
    open,    ///< the server has said hello
    closed,  ///< failure() says why
  };
  State state() const { return state_; }
  const std::string& failure() const { return failure_; }
  /// Did the server say that it will never have events for us, not with this key, not in this version?
  bool is_refused() const { return is_refused_; }

  /// Waits until something has come, one of `further` is readable, or so much time has passed; negative: for ever.
  /// Calls `take` for each event.
  void wait(std::span<curl_waitfd> further, int time_ms, const std::function<void(const ServerEvent&)>& take);

 private:
  EventStream(ServerAddress address, const CurlLibrary& curl) : address_(std::move(address)), curl_(curl) {}
  static size_t receive(const char* bytes, size_t, size_t count, void* self);
  void take_bytes(std::string_view bytes);
  void take_event(const ServerSentEvent& event);
  void finish(CURLcode code);
  void close();

  const ServerAddress address_;
  const CurlLibrary& curl_;
  CURLM* multi_ = nullptr;
  CURL* transfer_ = nullptr;
  std::optional<HeaderLines> headers_;
  std::array<char, CURL_ERROR_SIZE> detail_{};
  EventParser parser_;
  std::string last_id_;
  HttpAnswer refused_;  // an answer that is no stream
  std::vector<ServerEvent> came_;
  State state_ = State::closed;
  std::string failure_;
  bool is_refused_ = false;
  bool is_no_stream_ = false;
};

}  // namespace cweb::cli
