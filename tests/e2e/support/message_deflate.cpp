#include "message_deflate.h"

#include <gtest/gtest.h>
#include <zlib.h>

namespace cweb::e2e {
namespace {

/// What ends every flushed block, and is left out of a payload (RFC 7692, 7.2.1).
constexpr std::string_view tail("\0\0\xff\xff", 4);

Bytef* bytes_of(std::string_view text) {
  return reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
}

void take_message(z_stream& stream, std::string_view message, std::string& payload) {
  stream.next_in = bytes_of(message);
  stream.avail_in = static_cast<uInt>(message.size());
  char room[16 * 1024];
  payload.clear();
  do {
    stream.next_out = reinterpret_cast<Bytef*>(room);
    stream.avail_out = sizeof room;
    deflate(&stream, Z_SYNC_FLUSH);
    payload.append(room, sizeof room - stream.avail_out);
  } while (stream.avail_out == 0);
  EXPECT_TRUE(payload.ends_with(tail));
  payload.resize(payload.size() - tail.size());
}

}  // namespace

std::string deflated(std::string_view message) {
  return deflated_behind({}, message);
}

std::string deflated_behind(std::string_view before, std::string_view message) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string payload;
  if (!before.empty()) take_message(stream, before, payload);
  take_message(stream, message, payload);
  deflateEnd(&stream);
  return payload;
}

std::optional<std::string> inflated(std::string_view payload, int window_bits) {
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, -window_bits), Z_OK);
  std::string message;
  int result = Z_OK;
  for (const std::string_view part : {payload, tail}) {
    stream.next_in = bytes_of(part);
    stream.avail_in = static_cast<uInt>(part.size());
    char room[16 * 1024];
    do {
      stream.next_out = reinterpret_cast<Bytef*>(room);
      stream.avail_out = sizeof room;
      result = inflate(&stream, Z_SYNC_FLUSH);
      message.append(room, sizeof room - stream.avail_out);
    } while (result == Z_OK && stream.avail_out == 0);
  }
  inflateEnd(&stream);
  // All is read, and no block is unfinished. Z_BUF_ERROR only says that there was nothing left to do.
  const bool whole = stream.avail_in == 0 && (result == Z_OK || result == Z_BUF_ERROR || result == Z_STREAM_END);
  if (!whole) return std::nullopt;
  return message;
}

}  // namespace cweb::e2e
