#include "cli/event_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cli/client_failure.h"
#include "cli/server_url.h"

namespace cweb::cli {
namespace {

/// The server says something every fifteen seconds, if only that it is there.
constexpr long silence_seconds = 60;
constexpr size_t longest_refusal = 64 * 1024;
constexpr int for_ever_ms = 3'600'000;

}  // namespace

Expected<std::unique_ptr<EventStream>> EventStream::create(ServerAddress address) {
  const auto library = load_curl();
  if (!library) return std::unexpected(library.error());
  std::unique_ptr<EventStream> stream(new EventStream(std::move(address), **library));
  stream->multi_ = stream->curl_.multi_init();
  stream->transfer_ = stream->curl_.easy_init();
  if (stream->multi_ == nullptr || stream->transfer_ == nullptr) return fail("there is no memory to speak to a server");
  return stream;
}

EventStream::~EventStream() {
  close();
  if (transfer_ != nullptr) curl_.easy_cleanup(transfer_);
  if (multi_ != nullptr) curl_.multi_cleanup(multi_);
}

void EventStream::close() {
  if (state_ != State::closed) curl_.multi_remove_handle(multi_, transfer_);
  headers_.reset();
  state_ = State::closed;
}

void EventStream::open(const std::vector<std::string>& modules, std::optional<uint64_t> after) {
  close();
  parser_ = {};
  came_.clear();
  refused_ = {};
  is_no_stream_ = is_refused_ = false;
  std::string query;
  for (const std::string& name : modules) query += (query.empty() ? "?module=" : "&module=") + percent_encoded(name);
  if (after && last_id_.empty()) query += fmt::format("{}after={}", query.empty() ? "?" : "&", *after);
  curl_.easy_reset(transfer_);
  set_address(curl_, transfer_, address_);
  headers_.emplace(curl_);
  headers_->add("Accept: text/event-stream, application/json");
  if (!address_.key.empty()) headers_->add("Authorization: Bearer " + address_.key);
  if (!last_id_.empty()) headers_->add("Last-Event-ID: " + last_id_);
  detail_.fill(0);
  curl_.easy_setopt(transfer_, CURLOPT_URL, (address_.url + "/mgnt/events" + query).c_str());
  curl_.easy_setopt(transfer_, CURLOPT_HTTPHEADER, headers_->get());
  curl_.easy_setopt(transfer_, CURLOPT_ERRORBUFFER, detail_.data());
  curl_.easy_setopt(transfer_, CURLOPT_WRITEFUNCTION, receive);
  curl_.easy_setopt(transfer_, CURLOPT_WRITEDATA, this);
  curl_.easy_setopt(transfer_, CURLOPT_LOW_SPEED_TIME, silence_seconds);
  curl_.easy_setopt(transfer_, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_.multi_add_handle(multi_, transfer_);
  state_ = State::connecting;
}

size_t EventStream::receive(const char* bytes, size_t, size_t count, void* self) {
  auto& stream = *static_cast<EventStream*>(self);
  stream.take_bytes({bytes, count});
  return stream.is_no_stream_ ? 0 : count;
}

void EventStream::take_bytes(std::string_view bytes) {
  long status = 0;
  curl_.easy_getinfo(transfer_, CURLINFO_RESPONSE_CODE, &status);
  if (status != 200) {
    refused_.body.append(bytes.substr(0, longest_refusal - std::min(longest_refusal, refused_.body.size())));
    return;
  }
  is_no_stream_ = !parser_.feed(bytes, [this](const ServerSentEvent& event) { take_event(event); });
}

void EventStream::take_event(const ServerSentEvent& event) {
  if (!event.id.empty()) last_id_ = event.id;
  nlohmann::json json = parse_json(event.data);
  if (!json.is_object()) return;
  if (event.type == "hello") state_ = State::open;
  came_.push_back({event.type, std::move(json)});
}

void EventStream::finish(CURLcode code) {
  long status = 0;
  const char* type = nullptr;
  const char* location = nullptr;
  curl_off_t connect_time = 0;
  long os_error = 0;
  curl_.easy_getinfo(transfer_, CURLINFO_RESPONSE_CODE, &status);
  curl_.easy_getinfo(transfer_, CURLINFO_CONTENT_TYPE, &type);
  curl_.easy_getinfo(transfer_, CURLINFO_REDIRECT_URL, &location);
  curl_.easy_getinfo(transfer_, CURLINFO_CONNECT_TIME_T, &connect_time);
  curl_.easy_getinfo(transfer_, CURLINFO_OS_ERRNO, &os_error);
  refused_.status = static_cast<int>(status);
  refused_.content_type = type == nullptr ? "" : type;
  refused_.location = location == nullptr ? "" : location;
  const std::string detail = detail_[0] != 0 ? detail_.data() : curl_.easy_strerror(code);
  close();
  if (code != CURLE_OK && !is_no_stream_) {
    failure_ = failure_sentence(address_, {.code = code,
                                           .detail = detail,
                                           .os_error = static_cast<int>(os_error),
                                           .connected = connect_time > 0,
                                           .answer_began = status != 0});
    return;
  }
  // Too many readers now is not too many for ever.
  is_refused_ = is_no_stream_ || (status != 200 && status != 503);
  if (status == 200 && !is_no_stream_) {
    failure_ = "the server at " + address_.url + " has ended the stream of its events";
    return;
  }
  const auto refusal = refusal_sentence(address_, refused_);
  const nlohmann::json json = parse_json(refused_.body);
  const std::string said = text_in(json, "error");
  failure_ = refusal         ? *refusal
             : !said.empty() ? said
                             : not_cweb(address_, "it has no events, or those of another version");
}

void EventStream::wait(std::span<curl_waitfd> further, int time_ms,
                       const std::function<void(const ServerEvent&)>& take) {
  int running = 0;
  if (state_ != State::closed) curl_.multi_perform(multi_, &running);
  if (came_.empty() && (state_ == State::closed || running > 0)) {
    curl_.multi_poll(multi_, further.data(), static_cast<unsigned>(further.size()), time_ms < 0 ? for_ever_ms : time_ms,
                     nullptr);
    if (state_ != State::closed) curl_.multi_perform(multi_, &running);
  }
  int left = 0;
  while (const CURLMsg* message = curl_.multi_info_read(multi_, &left)) {
    if (message->msg == CURLMSG_DONE) finish(message->data.result);
  }
  for (const ServerEvent& event : std::exchange(came_, {})) take(event);
}

}  // namespace cweb::cli
