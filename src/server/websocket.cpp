#include "server/websocket.h"

#include "runtime/module_thread.h"
#include "runtime/module_version.h"
#include "server/deflaters.h"
#include "server/socket_mail.h"

namespace cweb::server {
namespace {

using http::WebSocketOpcode;

/// A shorter message is sent as it is: compressing would cost more than it saves.
constexpr size_t least_compressed_bytes = 1024;

std::string make_frame(WebSocket::Kind kind, std::string_view message, const http::WebSocketAgreement& agreement) {
  const WebSocketOpcode opcode = kind == WebSocket::Kind::text ? WebSocketOpcode::text : WebSocketOpcode::binary;
  std::string frame;
  if (agreement.deflate && message.size() >= least_compressed_bytes) {
    http::append_frame(frame, opcode, deflate(message, agreement.deflate_window_bits), /*compressed=*/true);
    return frame;
  }
  const http::ServerFrameHead head(opcode, message.size());
  frame.reserve(head.bytes().size() + message.size());
  frame.append(head.bytes()).append(message);
  return frame;
}

bool owns(const runtime::ModuleVersion& version, const void* address) {
  return const_cast<runtime::ModuleVersion&>(version).heap().owns(address) ||
         version.image().readable_bytes(static_cast<const char*>(address)) > 0;
}

}  // namespace

const std::shared_ptr<const std::string>& Broadcast::frame(const http::WebSocketAgreement& agreement) {
  constexpr int usual_window_bits = 15;
  const bool compressed = agreement.deflate && agreement.deflate_window_bits == usual_window_bits;
  std::shared_ptr<const std::string>& frame = compressed ? compressed_ : plain_;
  if (!frame) {
    frame = std::make_shared<const std::string>(
        make_frame(kind_, message_, compressed ? agreement : http::WebSocketAgreement{}));
  }
  return frame;
}

WebSocket::WebSocket(Opening its_opening, SocketMail& mail, http::WebSocketReaderPool& pool, size_t max_message_bytes)
    : shared_opening(std::make_shared<const Opening>(std::move(its_opening))),
      reader(std::make_unique<http::WebSocketReader>(pool, max_message_bytes, opening.agreement.deflate)),
      mail_(mail) {}

WebSocket::~WebSocket() = default;

int WebSocket::send(Kind kind, std::string_view message) {
  if (closing()) return -1;
  return enqueue(make_frame(kind, message, opening.agreement));
}

int WebSocket::send(Broadcast& message) {
  if (closing()) return -1;
  return enqueue(message.frame(opening.agreement));
}

namespace {

size_t size_of(const std::string& frame) {
  return frame.size();
}
size_t size_of(const std::shared_ptr<const std::string>& frame) {
  return frame->size();
}

}  // namespace

/// The frame is whole before the lock is taken: what a module gives is not read under it.
template <class Frame>
int WebSocket::enqueue(Frame frame) {
  bool sent = true;
  {
    const std::lock_guard lock(mutex_);
    if (closing()) return -1;
    const size_t waiting = queue_.bytes() + being_sent_;
    if (waiting > 0 && waiting + size_of(frame) > max_waiting_bytes) {
      sent = false;
      accepts_.store(false, std::memory_order_release);
      std::string close;
      http::append_close_frame(close, http::close_code::try_again_later, "more is sent than is read");
      queue_.append(std::move(close));
    } else {
      queue_.append(std::move(frame));
    }
    if (std::exchange(driver_looks_, true)) return sent ? 0 : -1;
  }
  mail_.post(shared_from_this());
  return sent ? 0 : -1;
}

int WebSocket::close(uint16_t code, std::string_view reason) {
  std::string frame;
  http::append_close_frame(frame, code, reason);
  {
    const std::lock_guard lock(mutex_);
    if (closing()) return -1;
    accepts_.store(false, std::memory_order_release);
    queue_.append(std::move(frame));
    if (std::exchange(driver_looks_, true)) return 0;
  }
  mail_.post(shared_from_this());
  return 0;
}

void WebSocket::set_data(void* data) {
  runtime::ModuleVersion* const current = runtime::current_version();
  std::shared_ptr<runtime::ModuleVersion> released;  // it may be the last to hold it: not under the lock
  const std::lock_guard lock(mutex_);
  if (data != data_ && !(data_owner_ && owns(*data_owner_, data))) {
    released = std::move(data_owner_);
    data_owner_ = current != nullptr && owns(*current, data) ? current->shared_from_this() : nullptr;
  }
  data_ = data;
}

void* WebSocket::data() const {
  const std::lock_guard lock(mutex_);
  return data_;
}

void WebSocket::begin_turn() {
  const std::lock_guard lock(mutex_);
  driver_looks_ = true;
}

void WebSocket::send_control(std::string frame) {
  const std::lock_guard lock(mutex_);
  queue_.append(std::move(frame));
}

bool WebSocket::has_output() {
  const std::lock_guard lock(mutex_);
  if (sending_.empty()) sending_.swap(queue_);
  being_sent_ = sending_.bytes();
  known_waiting_ = being_sent_ + queue_.bytes();
  driver_looks_ = !sending_.empty();
  return driver_looks_;
}

}  // namespace cweb::server
