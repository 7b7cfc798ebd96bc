// The WebSocket protocol suite as tables: what a client sends, and exactly what has to come back. A case is a name,
// bytes and answers; the words that it is written with are below. websocket_protocol_test.cpp runs them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "websocket_client.h"

namespace cweb::e2e {

/// One frame of the server.
struct Answer {
  enum class Kind {
    frame,    ///< `bytes`, and nothing else
    close,    ///< `bytes`; when they are empty, a close frame with `code` and a reason. The server ends the connection.
    message,  ///< the text `bytes` in one frame, compressed or not
  };
  Kind kind = Kind::frame;
  std::string bytes;
  uint16_t code = 0;
};

struct ProtocolCase {
  std::string name;  ///< unique in its group
  std::string sent;
  /// In this order and nothing else. After a close frame the connection has ended, else it is open.
  std::vector<Answer> answers;
  /// Where `sent` is cut into TCP segments.
  std::vector<size_t> cuts;
  /// The client ends its side behind `sent`, without a close frame: the server ends the connection too.
  bool client_ends = false;
};

/// Cases that are run on servers and connections of the same kind. The module answers text with text and binary
/// with binary.
struct CaseGroup {
  std::string name;  ///< letters, digits and underscores
  std::vector<ProtocolCase> (*cases)() = nullptr;
  std::string handshake_lines;  ///< further header lines
  std::vector<std::string> server_options;
};

std::vector<CaseGroup> framing_groups();
std::vector<CaseGroup> control_frame_groups();
std::vector<CaseGroup> reserved_groups();
std::vector<CaseGroup> fragmentation_groups();
std::vector<CaseGroup> utf8_groups();
std::vector<CaseGroup> close_groups();
std::vector<CaseGroup> limit_groups();
std::vector<CaseGroup> segment_groups();
std::vector<CaseGroup> compression_groups();

// ---- what is sent ----

inline std::string frame(uint8_t opcode, std::string_view payload, bool fin = true, uint8_t rsv = 0) {
  return client_frame({.opcode = opcode, .fin = fin, .rsv = rsv}, payload);
}
inline std::string text(std::string_view payload) {
  return frame(opcode::text, payload);
}
inline std::string binary(std::string_view payload) {
  return frame(opcode::binary, payload);
}
inline std::string ping(std::string_view payload = "") {
  return frame(opcode::ping, payload);
}
inline std::string pong(std::string_view payload = "") {
  return frame(opcode::pong, payload);
}
inline std::string closing(uint16_t code, std::string_view reason = "") {
  return frame(opcode::close, close_payload(code, reason));
}
/// The first fragment of a text message.
inline std::string first_text(std::string_view payload) {
  return frame(opcode::text, payload, /*fin=*/false);
}
inline std::string first_binary(std::string_view payload) {
  return frame(opcode::binary, payload, /*fin=*/false);
}
/// A fragment that is neither the first nor the last.
inline std::string next(std::string_view payload) {
  return frame(opcode::continuation, payload, /*fin=*/false);
}
inline std::string last(std::string_view payload) {
  return frame(opcode::continuation, payload);
}
/// A text message whose head announces more than there is.
inline std::string begun_text(uint64_t announced_bytes, std::string_view payload = "") {
  const std::string whole = text(payload);
  return client_frame_head({opcode::text}, announced_bytes) + whole.substr(whole.size() - payload.size());
}

// ---- what comes back ----

inline Answer text_back(std::string_view payload) {
  return {.kind = Answer::Kind::frame, .bytes = server_frame({opcode::text}, payload)};
}
inline Answer binary_back(std::string_view payload) {
  return {.kind = Answer::Kind::frame, .bytes = server_frame({opcode::binary}, payload)};
}
inline Answer pong_back(std::string_view payload = "") {
  return {.kind = Answer::Kind::frame, .bytes = server_frame({opcode::pong}, payload)};
}
inline Answer message_back(std::string_view message) {
  return {.kind = Answer::Kind::message, .bytes = std::string(message)};
}
/// The close frame for a fault.
inline Answer closed(uint16_t code) {
  return {.kind = Answer::Kind::close, .bytes = {}, .code = code};
}
/// The answer to a close frame: its code and nothing else.
inline Answer closed_back(uint16_t code) {
  return {.kind = Answer::Kind::close, .bytes = server_frame({opcode::close}, close_payload(code)), .code = code};
}
/// The answer to a close frame without a code.
inline Answer closed_without_code() {
  return {.kind = Answer::Kind::close, .bytes = server_frame({opcode::close}, ""), .code = 1005};
}

// ---- payloads ----

/// Printable ASCII in which a shift by any part of a mask or of a buffer shows.
std::string letters(size_t bytes);
/// Every byte value in turn, beginning with 0.
std::string all_bytes(size_t bytes);
std::string repeated(std::string_view text, size_t times);
/// "e2 82 ac", for names.
std::string in_hex(std::string_view bytes);

}  // namespace cweb::e2e
