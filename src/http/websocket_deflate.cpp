#include "http/websocket_deflate.h"

#include <zlib.h>

#include <algorithm>

#include "base/error.h"

namespace cweb::http {
namespace {

/// What a flushed block ends with; it is not sent (RFC 7692, 7.2.1).
constexpr std::string_view flush_tail("\0\0\xff\xff", 4);

/// zlib counts in 32 bits; what is longer goes in pieces.
uInt at_once(size_t bytes) {
  return static_cast<uInt>(std::min<size_t>(bytes, UINT32_MAX));
}

Bytef* bytes_of(const char* text) {
  return reinterpret_cast<Bytef*>(const_cast<char*>(text));  // zlib does not write to its input
}

std::unexpected<WebSocketFault> not_deflate_data() {
  return std::unexpected(WebSocketFault{close_code::not_the_type, "a compressed message is not deflate data"});
}

std::unexpected<WebSocketFault> too_big() {
  return std::unexpected(WebSocketFault{close_code::too_big, "a message is too big once it is inflated"});
}

/// Grows by what `write(to, bytes)` says it has written of `bytes` bytes of room. Nothing is zeroed first.
template <class Write>
void append_up_to(std::string& text, size_t bytes, Write write) {
  const size_t before = text.size();
  text.resize_and_overwrite(before + bytes, [&](char* data, size_t) { return before + write(data + before, bytes); });
}

/// Did it leave off at the end of a block, and of a byte?
bool is_between_blocks(const z_stream& stream) {
  constexpr int at_block_end = 128, unused_bits = 63;
  return (stream.data_type & at_block_end) != 0 && (stream.data_type & unused_bits) == 0;
}

}  // namespace

struct MessageInflater::Stream {
  z_stream zlib{};

  Stream() { CWEB_ASSERT(inflateInit2(&zlib, -MAX_WBITS) == Z_OK); }
  ~Stream() { inflateEnd(&zlib); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// Inflates to `to` what is left of the input. Returns how much it wrote.
  size_t run(char* to, size_t bytes) {
    zlib.next_out = bytes_of(to);
    zlib.avail_out = at_once(bytes);
    const size_t room = zlib.avail_out;
    status = ::inflate(&zlib, Z_SYNC_FLUSH);
    // A call that finds nothing to do unsays it.
    if (status != Z_BUF_ERROR) between_blocks = is_between_blocks(zlib);
    return room - zlib.avail_out;
  }

  /// Takes all of `input` in, blocks that say of themselves that they are the last one included: another may follow
  /// (RFC 7692, 7.2.1).
  std::expected<void, WebSocketFault> take(std::string_view input, size_t most_bytes, std::string& message) {
    while (!input.empty()) {
      zlib.next_in = bytes_of(input.data());
      zlib.avail_in = at_once(input.size());
      const size_t given = zlib.avail_in;
      if (auto taken = take_given(most_bytes, message); !taken) return taken;
      input.remove_prefix(given - zlib.avail_in);
      ended = status == Z_STREAM_END;
      if (ended) inflateReset(&zlib);
    }
    return {};
  }

  /// Up to the end of the input that zlib was given, or of the stream in it.
  std::expected<void, WebSocketFault> take_given(size_t most_bytes, std::string& message) {
    do {
      if (message.size() == most_bytes) {
        // Whether there is more is seen when it comes.
        char beyond;
        if (run(&beyond, 1) > 0) return too_big();
      } else {
        const size_t room =
            std::min(std::max(message.capacity() - message.size(), least_room), most_bytes - message.size());
        append_up_to(message, room, [this](char* to, size_t bytes) { return run(to, bytes); });
      }
      if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) return not_deflate_data();
      // Where room was left, everything that the input gives was written.
    } while (status != Z_STREAM_END && zlib.avail_out == 0);
    return {};
  }

  static constexpr size_t least_room = 512;
  int status = Z_OK;
  bool between_blocks = false;  ///< and between two bytes
  bool ended = false;           ///< with the last block, which said so, and nothing came behind it
};

MessageInflater::MessageInflater() : stream_(std::make_unique<Stream>()) {}
MessageInflater::~MessageInflater() = default;

std::expected<void, WebSocketFault> MessageInflater::inflate(std::string_view payload, size_t most_bytes,
                                                             std::string& message) {
  message.clear();
  if (payload.empty()) return {};
  inflateReset(&stream_->zlib);
  if (auto taken = stream_->take(payload, most_bytes, message); !taken) return taken;
  if (stream_->ended) return {};
  if (auto taken = stream_->take(flush_tail, most_bytes, message); !taken) return taken;
  if (!stream_->between_blocks) return not_deflate_data();
  return {};
}

struct MessageDeflater::Stream {
  z_stream zlib{};

  explicit Stream(int window_bits) {
    constexpr int memory_level = 8;
    CWEB_ASSERT(window_bits >= 9 && window_bits <= MAX_WBITS);
    CWEB_ASSERT(
        deflateInit2(&zlib, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -window_bits, memory_level, Z_DEFAULT_STRATEGY) == Z_OK);
  }
  ~Stream() { deflateEnd(&zlib); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// Deflates to `to` what is left of the input, and flushes. Returns how much it wrote.
  size_t run(char* to, size_t bytes, int flush) {
    zlib.next_out = bytes_of(to);
    zlib.avail_out = at_once(bytes);
    const size_t room = zlib.avail_out;
    ::deflate(&zlib, flush);
    return room - zlib.avail_out;
  }
};

MessageDeflater::MessageDeflater(int window_bits) : stream_(std::make_unique<Stream>(window_bits)) {}
MessageDeflater::~MessageDeflater() = default;

void MessageDeflater::deflate(std::string_view message, std::string& payload) {
  payload.clear();
  if (message.empty()) {
    payload.assign(1, '\0');  // the beginning of an empty block (RFC 7692, 7.2.3.6)
    return;
  }
  constexpr size_t flush_bytes = 16;  // an empty block and what was begun before it
  z_stream& zlib = stream_->zlib;
  deflateReset(&zlib);
  while (!message.empty()) {
    zlib.next_in = bytes_of(message.data());
    zlib.avail_in = at_once(message.size());
    message.remove_prefix(zlib.avail_in);
    const int flush = message.empty() ? Z_SYNC_FLUSH : Z_NO_FLUSH;
    do {
      const size_t room = deflateBound(&zlib, zlib.avail_in) + flush_bytes;
      append_up_to(payload, room, [&](char* to, size_t bytes) { return stream_->run(to, bytes, flush); });
    } while (zlib.avail_out == 0);
  }
  CWEB_ASSERT(payload.ends_with(flush_tail));
  payload.resize(payload.size() - flush_tail.size());
}

}  // namespace cweb::http
