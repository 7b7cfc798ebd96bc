// Messages mean the same however the network cuts them into pieces, and cost memory only for what came.
#include "http/websocket_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "client_frames.h"

namespace cweb::http {
namespace {

using Step = WebSocketReader::Step;

constexpr size_t message_limit = 1 << 20;

struct Event {
  Step step = Step::need_more;
  std::string bytes;  ///< the message, or a control frame's payload
  bool is_binary = false;
  unsigned code = 0;  ///< of close or failed
  bool operator==(const Event&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Event& event) {
  return out << "{step " << static_cast<int>(event.step) << ", " << event.bytes.size() << " bytes "
             << testing::PrintToString(event.bytes.substr(0, 40)) << (event.is_binary ? " binary" : "") << ", code "
             << event.code << "}";
}

Event message(std::string_view text) {
  return {Step::message, std::string(text)};
}

Event binary(std::string_view bytes) {
  return {Step::message, std::string(bytes), /*is_binary=*/true};
}

Event control(Step step, std::string_view payload) {
  return {step, std::string(payload)};
}

Event closed(unsigned code, std::string_view reason = {}) {
  return {Step::close, std::string(reason), false, code};
}

Event failed(unsigned code) {
  return {Step::failed, "", false, code};
}

Event look_at(WebSocketReader& reader, Step step) {
  Event event{step};
  if (step == Step::message) {
    const std::span<char> bytes = reader.message();
    EXPECT_EQ(bytes.data()[bytes.size()], '\0') << "a NUL stands behind a message";
    event.bytes.assign(bytes.data(), bytes.size());
    event.is_binary = reader.is_binary();
    // As a module may do; nothing else is to change by it.
    std::memset(bytes.data(), '#', bytes.size());
  } else if (step == Step::failed) {
    event.code = reader.fault().code;
    EXPECT_GT(std::strlen(reader.fault().sentence), 0U);
    EXPECT_LE(std::strlen(reader.fault().sentence), 123U) << "it has to fit into a close frame";
  } else {
    event.bytes = reader.payload();
    if (step == Step::close) event.code = reader.close_code();
  }
  return event;
}

void put(WebSocketReader& reader, std::string_view bytes) {
  while (!bytes.empty()) {
    const std::span<char> room = reader.room();
    ASSERT_FALSE(room.empty());
    const size_t count = std::min(room.size(), bytes.size());
    std::memcpy(room.data(), bytes.data(), count);
    reader.committed(count);
    bytes.remove_prefix(count);
  }
}

std::vector<Event> read_buffered(WebSocketReader& reader) {
  std::vector<Event> events;
  for (;;) {
    const Step step = reader.advance();
    if (step == Step::need_more) return events;
    events.push_back(look_at(reader, step));
  }
}

struct Arrival {
  size_t piece = SIZE_MAX;      ///< bytes at once
  bool rests = false;           ///< after each piece
  bool with_handshake = false;  ///< the first piece came with it
};

std::vector<Event> read_all(std::string_view sent, Arrival arrival = {}, bool compression = false,
                            size_t limit = message_limit) {
  WebSocketReaderPool pool;
  WebSocketReader reader(pool, limit, compression);
  std::vector<Event> events;
  for (bool first = true; !sent.empty(); first = false) {
    const std::string_view piece = sent.substr(0, arrival.piece);
    if (first && arrival.with_handshake) {
      reader.feed(piece);
    } else {
      put(reader, piece);
    }
    for (Event& event : read_buffered(reader)) events.push_back(std::move(event));
    if (arrival.rests) reader.rest();
    sent.remove_prefix(piece.size());
  }
  return events;
}

/// Reads `sent` in all kinds of pieces, and expects the same each time.
void expect_events(std::string_view sent, const std::vector<Event>& expected, bool compression = false,
                   size_t limit = message_limit) {
  for (const size_t piece : {SIZE_MAX, size_t{1}, size_t{2}, size_t{5}, size_t{1000}, size_t{65'536}}) {
    if (piece < 1000 && sent.size() > 200'000) continue;
    for (const bool rests : {false, true}) {
      for (const bool with_handshake : {false, true}) {
        EXPECT_EQ(read_all(sent, {piece, rests, with_handshake}, compression, limit), expected)
            << "in pieces of " << piece << (rests ? ", resting" : "");
      }
    }
  }
}

std::string letters(size_t count) {
  std::string text(count, '\0');
  for (size_t i = 0; i < count; ++i) text[i] = static_cast<char>('a' + i % 26);
  return text;
}

TEST(WebSocketReader, MessagesOfAllLengths) {
  for (const size_t length : {0U, 1U, 2U, 13U, 124U, 125U, 126U, 127U, 1000U, 65'521U, 65'522U, 65'523U, 65'535U,
                              65'536U, 65'537U, 70'000U, 300'000U}) {
    const std::string text = letters(length);
    expect_events(client_frame(whole_text, text) + client_frame(whole_binary, text) + client_frame(whole_text, "next"),
                  {message(text), binary(text), message("next")});
  }
}

TEST(WebSocketReader, ManyMessagesInOneSegment) {
  std::string sent;
  std::vector<Event> expected;
  for (size_t i = 0; i < 2'000; ++i) {
    const std::string text = letters(i % 40);
    sent += client_frame(i % 3 == 0 ? whole_binary : whole_text, text);
    expected.push_back(i % 3 == 0 ? binary(text) : message(text));
  }
  expect_events(sent, expected);
}

TEST(WebSocketReader, AnUnfragmentedMessageIsHandedOutWhereItLies) {
  WebSocketReaderPool pool;
  WebSocketReader reader(pool, message_limit, false);
  const std::span<char> room = reader.room();
  const std::string sent = client_frame(whole_text, "Hello") + client_frame(whole_text, "");
  std::memcpy(room.data(), sent.data(), sent.size());
  reader.committed(sent.size());
  ASSERT_EQ(reader.advance(), Step::message);
  EXPECT_EQ(reader.message().data(), room.data() + 6);
  EXPECT_STREQ(reader.message().data(), "Hello");
  ASSERT_EQ(reader.advance(), Step::message) << "the NUL was taken away again";
  EXPECT_STREQ(reader.message().data(), "");
  EXPECT_EQ(reader.advance(), Step::need_more);
}

TEST(WebSocketReader, FragmentsAreOneMessage) {
  expect_events(client_frame(begin_text, "one ") + client_frame(go_on, "") + client_frame(go_on, "two ") +
                    client_frame(end_message, "three") + client_frame(begin_binary, "") + client_frame(end_message, ""),
                {message("one two three"), binary("")});
}

TEST(WebSocketReader, ManyFragments) {
  std::string sent = client_frame(begin_binary, "");
  for (int i = 0; i < 10'000; ++i) sent += client_frame(go_on, "x");
  expect_events(sent + client_frame(end_message, ""), {binary(std::string(10'000, 'x'))});
}

TEST(WebSocketReader, ControlFramesComeBetweenFragments) {
  expect_events(client_frame(begin_text, "one ") + client_frame(ping_frame, "p") + client_frame(go_on, "two ") +
                    client_frame(pong_frame, letters(125)) + client_frame(ping_frame, "") +
                    client_frame(end_message, "three") + client_frame(close_frame, close_payload(1000, "bye")),
                {control(Step::ping, "p"), control(Step::pong, letters(125)), control(Step::ping, ""),
                 message("one two three"), closed(1000, "bye")});
}

TEST(WebSocketReader, AMessageOutOfSequenceFails) {
  expect_events(client_frame(end_message, "x"), {failed(1002)});
  expect_events(client_frame(go_on, "x"), {failed(1002)});
  expect_events(client_frame(whole_text, "x") + client_frame(end_message, "y"), {message("x"), failed(1002)});
  for (const unsigned first : {begin_text, begin_binary, whole_text, whole_binary}) {
    expect_events(client_frame(begin_text, "x") + client_frame(first, "y"), {failed(1002)});
  }
}

TEST(WebSocketReader, ASequenceFaultIsToldByTheFirstByte) {
  EXPECT_EQ(read_all(client_frame(end_message, "x").substr(0, 1)), std::vector{failed(1002)});
  EXPECT_EQ(read_all(client_frame(begin_text, "x") + static_cast<char>(whole_text)), std::vector{failed(1002)});
}

TEST(WebSocketReader, AFrameThatIsWrongFails) {
  for (const unsigned first : {0xc1U, 0xa1U, 0x91U, 0x83U, 0x87U, 0x8bU, 0x8fU, 0x08U, 0x09U, 0x0aU, 0xc9U}) {
    expect_events(client_frame(whole_text, "x") + client_frame(first, "y"), {message("x"), failed(1002)});
  }
  expect_events("\x81\x01x", {failed(1002)});
}

TEST(WebSocketReader, BehindAFaultNothingIsRead) {
  WebSocketReaderPool pool;
  WebSocketReader reader(pool, message_limit, false);
  put(reader, client_frame(0x83, "") + client_frame(whole_text, "x"));
  ASSERT_EQ(reader.advance(), Step::failed);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(reader.advance(), Step::need_more);
    put(reader, client_frame(whole_text, letters(60'000)));
  }
}

TEST(WebSocketReader, BehindACloseNothingIsRead) {
  expect_events(client_frame(close_frame, "") + client_frame(whole_text, "x") + "\xff\xff\xff", {closed(1005)});
  expect_events(client_frame(begin_text, "x") + client_frame(close_frame, "") + client_frame(end_message, "x"),
                {closed(1005)});
}

TEST(WebSocketReader, CloseFrames) {
  expect_events(client_frame(close_frame, ""), {closed(1005)});
  expect_events(client_frame(close_frame, "x"), {failed(1002)});
  for (const unsigned code : {1000U, 1001U, 1002U, 1003U, 1007U, 1008U, 1009U, 1010U, 1011U, 1012U, 1013U, 1014U, 3000U,
                              3999U, 4000U, 4999U}) {
    expect_events(client_frame(close_frame, close_payload(code)), {closed(code)});
  }
  for (const unsigned code : {0U, 1U, 999U, 1004U, 1005U, 1006U, 1015U, 1016U, 1100U, 2000U, 2999U, 5000U, 65'535U}) {
    expect_events(client_frame(close_frame, close_payload(code, "why")), {failed(1002)});
  }
  const std::string longest = close_payload(1000, letters(123));
  expect_events(client_frame(close_frame, longest), {closed(1000, letters(123))});
  expect_events(client_frame(close_frame, close_payload(1000, "\xce\xba\xe1")), {failed(1007)});
  expect_events(client_frame(close_frame, close_payload(1000, "\xff")), {failed(1007)});
  expect_events(client_frame(close_frame, close_payload(1000, "\xce\xba")), {closed(1000, "\xce\xba")});
}

TEST(WebSocketReader, TextIsUtf8) {
  const std::string euro = "\xe2\x82\xac", smile = "\xf0\x9f\x98\x80";
  expect_events(client_frame(whole_text, "a" + euro + smile), {message("a" + euro + smile)});
  // Cut between frames.
  for (size_t cut = 0; cut <= smile.size(); ++cut) {
    expect_events(client_frame(begin_text, smile.substr(0, cut)) + client_frame(ping_frame, "\xff") +
                      client_frame(end_message, smile.substr(cut)),
                  {control(Step::ping, "\xff"), message(smile)});
  }
  expect_events(client_frame(whole_text, "cut" + euro.substr(0, 2)), {failed(1007)});
  expect_events(client_frame(begin_text, euro.substr(0, 2)) + client_frame(end_message, ""), {failed(1007)});
  expect_events(client_frame(begin_text, euro.substr(0, 2)) + client_frame(end_message, "x"), {failed(1007)});
  expect_events(client_frame(whole_text, "\xed\xa0\x80"), {failed(1007)});
  expect_events(client_frame(whole_binary, "\xed\xa0\x80"), {binary("\xed\xa0\x80")});
  // What one message ended with does not matter for the next.
  expect_events(client_frame(whole_binary, euro.substr(0, 2)) + client_frame(whole_text, "x"),
                {binary(euro.substr(0, 2)), message("x")});
}

TEST(WebSocketReader, ABadByteIsToldBeforeItsFrameEnds) {
  const std::string frame = client_frame(whole_text, letters(1000) + "\xff" + letters(100'000));
  const size_t bad_byte = client_head(whole_text, 101'001).size() + 1000;
  EXPECT_EQ(read_all(std::string_view(frame).substr(0, bad_byte)), std::vector<Event>{});
  EXPECT_EQ(read_all(std::string_view(frame).substr(0, bad_byte + 1)), std::vector{failed(1007)});
}

TEST(WebSocketReader, AMessageAboveTheLimitFailsByItsHead) {
  const std::string most = letters(1000);
  expect_events(client_frame(whole_text, most), {message(most)}, false, 1000);
  EXPECT_EQ(read_all(client_head(whole_text, 1001), {}, false, 1000), std::vector{failed(1009)});
  EXPECT_EQ(read_all(client_head(begin_binary, 1001), {}, false, 1000), std::vector{failed(1009)});
  EXPECT_EQ(read_all(client_head(whole_text, (1ULL << 63) - 1)), std::vector{failed(1009)});
  EXPECT_EQ(read_all(client_head(whole_text, (1ULL << 63) - 1), {}, true), std::vector{failed(1009)});
  // The sum of the frames.
  expect_events(client_frame(begin_text, most) + client_frame(end_message, ""), {message(most)}, false, 1000);
  const std::string begun = client_frame(begin_text, most.substr(0, 600));
  EXPECT_EQ(read_all(begun + client_head(go_on, 401), {}, false, 1000), std::vector{failed(1009)});
  EXPECT_EQ(read_all(begun + client_head(go_on, 400), {}, false, 1000), std::vector<Event>{});
}

TEST(WebSocketReader, WithoutALimitNothingOverflows) {
  EXPECT_EQ(read_all(client_frame(whole_text, "x"), {}, true, SIZE_MAX), std::vector{message("x")});
  // Begun, and never to end: what was announced is not allocated.
  for (const unsigned first : {begin_binary, begin_binary | compressed_bit}) {
    const std::string begun = client_head(first, (1ULL << 62) - 1) + letters(100);
    EXPECT_EQ(read_all(begun, {}, true, SIZE_MAX), std::vector<Event>{});
  }
}

TEST(WebSocketReader, CompressedMessages) {
  MessageDeflater deflater;
  std::string sent;
  std::vector<Event> expected;
  for (const size_t length : {0U, 1U, 5U, 1000U, 100'000U}) {
    std::string payload;
    deflater.deflate(letters(length), payload);
    sent += client_frame(whole_text | compressed_bit, payload) + client_frame(whole_text, "plain");
    expected.insert(expected.end(), {message(letters(length)), message("plain")});
    // In fragments, of which the first one alone has the bit.
    sent += client_frame(begin_binary | compressed_bit, payload.substr(0, 1)) + client_frame(ping_frame, "p") +
            client_frame(go_on, payload.substr(1)) + client_frame(end_message, "");
    expected.insert(expected.end(), {control(Step::ping, "p"), binary(letters(length))});
  }
  expect_events(sent, expected, /*compression=*/true);
}

TEST(WebSocketReader, TheExamplesOfRfc7692) {
  const std::string payload("\xf2\x48\xcd\xc9\xc9\x07\x00", 7);
  expect_events(client_frame(0xc1, payload), {message("Hello")}, true);
  expect_events(client_frame(0x41, payload.substr(0, 3)) + client_frame(0x80, payload.substr(3)), {message("Hello")},
                true);
}

TEST(WebSocketReader, CompressedFaults) {
  MessageDeflater deflater;
  std::string payload;
  deflater.deflate("\xff", payload);
  expect_events(client_frame(0xc1, payload), {failed(1007)}, true);
  expect_events(client_frame(0xc2, payload), {binary("\xff")}, true);
  expect_events(client_frame(0xc1, "\xff\xff\xff"), {failed(1007)}, true);
  expect_events(client_frame(0x41, payload) + client_frame(0xc0, ""), {failed(1002)}, true);
  expect_events(client_frame(0xc9, ""), {failed(1002)}, true);
  deflater.deflate(std::string(1001, 'a'), payload);
  expect_events(client_frame(0xc1, payload), {failed(1009)}, true, 1000);
  deflater.deflate(std::string(1000, 'a'), payload);
  expect_events(client_frame(0xc1, payload), {message(std::string(1000, 'a'))}, true, 1000);
}

TEST(WebSocketReader, WhatCannotBeCompressedMayFillTheLimit) {
  std::mt19937 random(7692);
  std::string noise(100'000, '\0');
  for (char& c : noise) c = static_cast<char>(random());
  MessageDeflater deflater;
  std::string payload;
  deflater.deflate(noise, payload);
  ASSERT_GT(payload.size(), noise.size());
  expect_events(client_frame(0xc2, payload), {binary(noise)}, true, noise.size());
}

TEST(WebSocketReader, AtRestThereIsNoBuffer) {
  WebSocketReaderPool pool;
  // What one gave back, the next one takes.
  WebSocketReader first(pool, message_limit, false), second(pool, message_limit, false);
  const char* const buffer = first.room().data();
  put(first, client_frame(whole_text, "x"));
  EXPECT_EQ(first.advance(), Step::message);
  EXPECT_EQ(first.advance(), Step::need_more);
  first.rest();
  EXPECT_EQ(second.room().data(), buffer);
  // Half a head is no reason to keep it, and not lost.
  put(second, client_frame(whole_text, "later").substr(0, 1));
  EXPECT_EQ(second.advance(), Step::need_more);
  second.rest();
  EXPECT_EQ(first.room().data(), buffer);
  put(second, client_frame(whole_text, "later").substr(1));
  ASSERT_EQ(second.advance(), Step::message);
  EXPECT_STREQ(second.message().data(), "later");
}

TEST(WebSocketReader, IsSmall) {
  EXPECT_LE(sizeof(WebSocketReader), 384U) << "there are as many as there are sockets";
}

TEST(WebSocketReader, TakesWhateverCameWithTheHandshake) {
  WebSocketReaderPool pool;
  WebSocketReader reader(pool, message_limit, false);
  const std::string text = letters(50'000);
  std::string sent;
  std::vector<Event> expected;
  for (int i = 0; i < 5; ++i) {
    sent += client_frame(whole_text, text);
    expected.push_back(message(text));
  }
  reader.feed(std::string_view(sent).substr(0, 10));
  reader.feed(std::string_view(sent).substr(10));
  EXPECT_EQ(read_buffered(reader), expected);
  reader.rest();
  put(reader, client_frame(whole_text, "x"));
  EXPECT_EQ(read_buffered(reader), std::vector{message("x")});
}

/// Streams of frames: mostly sound, some with a fault.
class StreamMaker {
 public:
  explicit StreamMaker(unsigned seed) : random_(seed) {}

  std::string stream() {
    std::string sent;
    for (size_t count = below(12); count > 0; --count) sent += frame();
    if (below(4) == 0) sent += client_frame(close_frame, below(2) == 0 ? "" : close_payload(1000 + below(20), "end"));
    if (below(4) == 0) sent.resize(sent.size() - std::min<size_t>(sent.size(), below(10)));
    if (below(6) == 0 && !sent.empty()) sent[below(sent.size())] = static_cast<char>(random_());
    return sent;
  }

 private:
  unsigned below(size_t bound) { return static_cast<unsigned>(random_() % bound); }

  std::string frame() {
    if (below(4) == 0) return client_frame(below(2) == 0 ? ping_frame : pong_frame, letters(below(126)));
    const bool final = below(2) == 0;
    unsigned first = final ? 0x80 : 0;
    bool compressed = false;
    if (!in_message_) {
      first |= 1 + below(2);
      compressed = final && below(3) == 0;
    }
    in_message_ = !final;
    std::string payload = this->payload();
    if (compressed) {
      first |= compressed_bit;
      deflater_.deflate(std::string(payload), payload);
    }
    return client_frame(first, payload);
  }

  std::string payload() {
    std::string text = letters(below(10) == 0 ? below(3'000) : below(200));
    if (below(3) == 0) text += "\xf0\x9f\x98\x80";
    return text;
  }

  std::mt19937 random_;
  MessageDeflater deflater_;
  bool in_message_ = false;
};

TEST(WebSocketReader, AnyPiecesMeanTheSame) {
  StreamMaker maker(1);
  std::mt19937 random(2);
  for (int round = 0; round < 600; ++round) {
    const std::string sent = maker.stream();
    const size_t limit = round % 3 == 0 ? 300 : message_limit;
    const bool compression = round % 5 != 0;
    const std::vector<Event> whole = read_all(sent, {}, compression, limit);
    for (const Arrival arrival :
         {Arrival{1, round % 2 == 0, false}, Arrival{1 + random() % 200, round % 2 != 0, true}}) {
      ASSERT_EQ(read_all(sent, arrival, compression, limit), whole)
          << "round " << round << ", pieces of " << arrival.piece;
    }
  }
}

}  // namespace
}  // namespace cweb::http
