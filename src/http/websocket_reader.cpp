#include "http/websocket_reader.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace cweb::http {
namespace {

constexpr WebSocketFault not_utf8{close_code::not_the_type, "a text message is not UTF-8"};

}  // namespace

std::unique_ptr<char[]> WebSocketReaderPool::take_buffer() {
  if (spare_.empty()) return std::make_unique_for_overwrite<char[]>(buffer_bytes + 1);
  std::unique_ptr<char[]> buffer = std::move(spare_.back());
  spare_.pop_back();
  return buffer;
}

void WebSocketReaderPool::give_back(std::unique_ptr<char[]> buffer) {
  if (buffer && spare_.size() < kept_buffers) spare_.push_back(std::move(buffer));
}

MessageInflater& WebSocketReaderPool::inflater() {
  if (!inflater_) inflater_ = std::make_unique<MessageInflater>();
  return *inflater_;
}

WebSocketReader::WebSocketReader(WebSocketReaderPool& pool, size_t max_message_bytes, bool compression_agreed)
    : pool_(pool),
      max_message_bytes_(std::min(max_message_bytes, SIZE_MAX / 2)),
      compression_agreed_(compression_agreed) {}

WebSocketReader::~WebSocketReader() {
  release_buffer();
}

void WebSocketReader::feed(std::string_view bytes) {
  make_room(bytes.size());
  bytes.copy(buffer_.get() + end_, bytes.size());
  end_ += bytes.size();
}

std::span<char> WebSocketReader::room() {
  make_room(1);
  return {buffer_.get() + end_, capacity_ - end_};
}

void WebSocketReader::committed(size_t bytes) {
  CWEB_ASSERT(bytes <= capacity_ - end_);
  end_ += bytes;
}

/// Room behind what is buffered, which is moved to the front.
void WebSocketReader::make_room(size_t least_bytes) {
  // Its bytes may lie in the buffer, and a NUL behind them.
  CWEB_ASSERT(!message_is_out_);
  if (!buffer_) {
    buffer_ = pool_.take_buffer();
    capacity_ = WebSocketReaderPool::buffer_bytes;
    begin_ = 0;
    end_ = kept_.copy(buffer_.get(), kept_.size());
    kept_.clear();
  }
  const size_t length = end_ - begin_;
  if (capacity_ - length < least_bytes) {
    // Only who feeds much without advancing comes here.
    const size_t capacity = length + std::max(least_bytes, capacity_);
    auto larger = std::make_unique_for_overwrite<char[]>(capacity + 1);
    std::memcpy(larger.get(), buffer_.get() + begin_, length);
    release_buffer();
    buffer_ = std::move(larger);
    capacity_ = capacity;
  } else if (begin_ > 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, length);
  }
  begin_ = 0;
  end_ = length;
}

void WebSocketReader::release_buffer() {
  if (capacity_ == WebSocketReaderPool::buffer_bytes) {
    pool_.give_back(std::move(buffer_));
  } else {
    buffer_.reset();
  }
  capacity_ = 0;
}

void WebSocketReader::rest() {
  constexpr size_t kept_capacity = 512;
  CWEB_ASSERT(!message_is_out_);
  if (buffer_) {
    kept_ = buffered();
    release_buffer();
    begin_ = end_ = 0;
    control_ = {};
  }
  if (kept_.empty() && kept_.capacity() > kept_capacity) kept_ = std::string();
  if (assembled_.empty() && assembled_.capacity() > kept_capacity) assembled_ = std::string();
}

/// What the owner was shown is not looked at any more.
void WebSocketReader::retire_last_step() {
  if (behind_message_ != nullptr) {
    *behind_message_ = covered_byte_;
    behind_message_ = nullptr;
  } else if (message_is_out_) {
    assembled_.clear();
  }
  message_is_out_ = false;
  message_ = {};
  control_ = {};
}

WebSocketReader::Step WebSocketReader::advance() {
  retire_last_step();
  if (ended_) begin_ = end_;
  while (begin_ != end_) {
    if (const auto step = frame_ ? take_payload() : next_frame()) return *step;
  }
  return Step::need_more;
}

/// Nothing when the frame's payload is still to be taken. Its head, or of a control frame all of it, is looked at when
/// it is there.
std::optional<WebSocketReader::Step> WebSocketReader::next_frame() {
  const std::string_view bytes = buffered();
  if (const char* wrong = sequence_fault(bytes.front())) return fail({close_code::protocol_error, wrong});
  const auto head = read_frame_head(bytes, compression_agreed_);
  if (!head) return fail(head.error());
  if (!*head) return Step::need_more;
  return is_control((*head)->opcode) ? control_frame(**head) : data_frame(**head);
}

/// What a frame's first byte says that cannot come here (RFC 6455, 5.4; RFC 7692, 6.1). Null when there is nothing.
const char* WebSocketReader::sequence_fault(char first_byte) const {
  constexpr unsigned opcode_bits = 0x0f, rsv1_bit = 0x40;
  const auto byte = static_cast<unsigned char>(first_byte);
  const auto opcode = static_cast<WebSocketOpcode>(byte & opcode_bits);
  if (opcode == WebSocketOpcode::continuation) {
    if (!in_message_) return "a continuation frame came without a message that it continues";
    if ((byte & rsv1_bit) != 0) return "RSV1 of a continuation frame must be zero";
  } else if (in_message_ && (opcode == WebSocketOpcode::text || opcode == WebSocketOpcode::binary)) {
    return "a message began before the last one had ended";
  }
  return nullptr;
}

std::optional<WebSocketReader::Step> WebSocketReader::control_frame(const FrameHead& head) {
  const size_t payload_bytes = static_cast<size_t>(head.payload_bytes);
  if (end_ - begin_ - head.head_bytes < payload_bytes) return Step::need_more;
  const std::span<char> payload(buffer_.get() + begin_ + head.head_bytes, payload_bytes);
  unmask(payload, head.mask, 0);
  begin_ += head.head_bytes + payload_bytes;
  control_ = {payload.data(), payload.size()};
  if (head.opcode == WebSocketOpcode::close) return close_frame();
  return head.opcode == WebSocketOpcode::ping ? Step::ping : Step::pong;
}

/// RFC 6455, 5.5.1.
WebSocketReader::Step WebSocketReader::close_frame() {
  close_code_ = close_code::none_given;
  if (control_.empty()) return end(Step::close);
  constexpr size_t code_bytes = 2;
  if (control_.size() < code_bytes) return fail({close_code::protocol_error, "a close frame has half a status code"});
  const auto high = static_cast<unsigned char>(control_[0]), low = static_cast<unsigned char>(control_[1]);
  close_code_ = static_cast<uint16_t>(high << 8 | low);
  if (!is_close_code(close_code_)) {
    return fail({close_code::protocol_error, "a close frame has a status code that must not be sent"});
  }
  control_.remove_prefix(code_bytes);
  Utf8Check reason;
  if (!reason.take(control_) || !reason.complete()) {
    return fail({close_code::not_the_type, "the reason of a close frame is not UTF-8"});
  }
  return end(Step::close);
}

/// The payload that a message may have. Compressed it may be longer than what comes out: data that cannot be compressed
/// grows, by less than this whatever the blocks it is cut into.
uint64_t WebSocketReader::most_payload_bytes() const {
  constexpr uint64_t least_allowance = 64;
  return compressed_ ? max_message_bytes_ + max_message_bytes_ / 8 + least_allowance : max_message_bytes_;
}

/// Nothing when the payload is still to be taken out of the buffer.
std::optional<WebSocketReader::Step> WebSocketReader::data_frame(const FrameHead& head) {
  const bool begins = head.opcode != WebSocketOpcode::continuation;
  if (begins) {
    opcode_ = head.opcode;
    compressed_ = head.compressed;
    utf8_.reset();
  }
  if (head.payload_bytes > most_payload_bytes() - assembled_.size()) {
    return fail({close_code::too_big, "a message is too big"});
  }
  begin_ += head.head_bytes;
  if (begins && head.final && head.payload_bytes <= end_ - begin_) {
    const std::span<char> payload(buffer_.get() + begin_, static_cast<size_t>(head.payload_bytes));
    begin_ += payload.size();
    unmask(payload, head.mask, 0);
    return compressed_ ? inflated_message({payload.data(), payload.size()}) : message_in_place(payload);
  }
  in_message_ = true;
  frame_ = head;
  taken_bytes_ = 0;
  return take_payload();
}

WebSocketReader::Step WebSocketReader::message_in_place(std::span<char> payload) {
  if (!is_binary() && !(utf8_.take({payload.data(), payload.size()}) && utf8_.complete())) return fail(not_utf8);
  behind_message_ = payload.data() + payload.size();
  covered_byte_ = *behind_message_;
  *behind_message_ = '\0';
  return deliver(payload);
}

/// What is there of the current frame's payload goes to the message. Nothing when the frame ended, and its message did
/// not.
std::optional<WebSocketReader::Step> WebSocketReader::take_payload() {
  const uint64_t left = frame_->payload_bytes - taken_bytes_;
  const std::span<char> payload(buffer_.get() + begin_, std::min<uint64_t>(left, end_ - begin_));
  unmask(payload, frame_->mask, taken_bytes_);
  begin_ += payload.size();
  taken_bytes_ += payload.size();
  if (!is_binary() && !compressed_ && !utf8_.take({payload.data(), payload.size()})) return fail(not_utf8);
  assembled_.append(payload.data(), payload.size());
  if (taken_bytes_ < frame_->payload_bytes) return Step::need_more;
  const bool final = frame_->final;
  frame_.reset();
  if (!final) return std::nullopt;
  return assembled_message();
}

WebSocketReader::Step WebSocketReader::assembled_message() {
  in_message_ = false;
  if (compressed_) return inflated_message(assembled_);
  if (!is_binary() && !utf8_.complete()) return fail(not_utf8);
  return deliver(assembled_);
}

/// `payload` may be what is assembled.
WebSocketReader::Step WebSocketReader::inflated_message(std::string_view payload) {
  std::string message;
  if (auto inflated = pool_.inflater().inflate(payload, max_message_bytes_, message); !inflated) {
    return fail(inflated.error());
  }
  assembled_ = std::move(message);
  if (!is_binary() && !(utf8_.take(assembled_) && utf8_.complete())) return fail(not_utf8);
  return deliver(assembled_);
}

WebSocketReader::Step WebSocketReader::deliver(std::span<char> message) {
  message_ = message;
  message_is_out_ = true;
  return Step::message;
}

WebSocketReader::Step WebSocketReader::end(Step step) {
  ended_ = true;
  in_message_ = false;
  frame_.reset();
  assembled_ = std::string();
  return step;
}

WebSocketReader::Step WebSocketReader::fail(const WebSocketFault& fault) {
  fault_ = fault;
  control_ = {};
  return end(Step::failed);
}

}  // namespace cweb::http
