// Frames between the server and a helper: whole, in pieces, and broken.
#include "jit/helper_protocol.h"

#include <gmock/gmock.h>
#include <sys/socket.h>

#include <array>
#include <thread>

#include "base/clock.h"
#include "base/unique_fd.h"

namespace cweb::jit {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class HelperProtocol : public ::testing::Test {
 protected:
  HelperProtocol() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    near_.reset(ends[0]);
    far_.reset(ends[1]);
  }

  void write(const void* bytes, size_t size) {
    ASSERT_EQ(::send(near_.get(), bytes, size, MSG_NOSIGNAL), static_cast<ssize_t>(size));
  }

  UniqueFd near_, far_;
};

TEST_F(HelperProtocol, a_frame_arrives_as_it_was_sent) {
  const std::string blob("\0\1\2\xff", 4);
  ASSERT_TRUE(send_frame(near_.get(), FrameKind::compiled, "text", blob));
  const auto frame = receive_frame(far_.get(), 0);
  ASSERT_TRUE(frame.has_value());
  EXPECT_EQ(frame->kind, FrameKind::compiled);
  EXPECT_EQ(frame->text, "text");
  EXPECT_EQ(frame->blob, blob);
}

TEST_F(HelperProtocol, a_frame_larger_than_the_sockets_buffer_arrives_whole) {
  const std::string text(size_t{3} << 20, 'a'), blob(size_t{5} << 20, 'b');
  std::thread sender([&] { EXPECT_TRUE(send_frame(near_.get(), FrameKind::compiled, text, blob)); });
  const auto frame = receive_frame(far_.get(), 0);
  sender.join();
  ASSERT_TRUE(frame.has_value());
  EXPECT_EQ(frame->text, text);
  EXPECT_EQ(frame->blob, blob);
}

TEST_F(HelperProtocol, a_frame_that_comes_byte_by_byte_is_put_together) {
  const FrameHeader header{static_cast<uint32_t>(FrameKind::compile), 5, 0};
  std::string bytes(reinterpret_cast<const char*>(&header), sizeof header);
  bytes += "abcde";
  std::thread sender([&] {
    for (const char& byte : bytes) write(&byte, 1);
  });
  const auto frame = receive_frame(far_.get(), 0);
  sender.join();
  ASSERT_TRUE(frame.has_value());
  EXPECT_EQ(frame->text, "abcde");
}

TEST_F(HelperProtocol, a_peer_that_goes_is_noticed_between_and_within_frames) {
  const FrameHeader header{static_cast<uint32_t>(FrameKind::compile), 5, 0};
  write(&header, sizeof header);
  write("ab", 2);
  near_.reset();
  EXPECT_EQ(receive_frame(far_.get(), 0).error(), ReceiveError::closed);
  EXPECT_EQ(receive_frame(far_.get(), 0).error(), ReceiveError::closed);
  EXPECT_FALSE(send_frame(far_.get(), FrameKind::ready, {}));
}

TEST_F(HelperProtocol, a_deadline_ends_the_wait_also_within_a_frame) {
  EXPECT_EQ(receive_frame(far_.get(), monotonic_ns() + 1'000'000).error(), ReceiveError::timeout);
  const FrameHeader header{static_cast<uint32_t>(FrameKind::compile), 5, 0};
  write(&header, sizeof header);
  EXPECT_EQ(receive_frame(far_.get(), monotonic_ns() + 1'000'000).error(), ReceiveError::timeout);
}

TEST_F(HelperProtocol, what_is_no_frame_is_refused_before_memory_is_asked_for) {
  for (const FrameHeader header :
       {FrameHeader{0, 1, 1}, FrameHeader{99, 0, 0}, FrameHeader{1, UINT32_MAX, 0}, FrameHeader{1, 0, UINT32_MAX}}) {
    write(&header, sizeof header);
    EXPECT_EQ(receive_frame(far_.get(), 0).error(), ReceiveError::invalid);
  }
}

TEST(HelperJson, options_arrive_as_they_were_given) {
  CompilerOptions options;
  options.limits.wall = std::chrono::milliseconds(123);
  options.limits.cpu = std::chrono::seconds(4);
  options.limits.memory_bytes = 5;
  options.limits.static_data_bytes = 6;
  options.limits.source_bytes = 7;
  options.include_dirs = {"/a b", "/c\"d"};
  const auto decoded = decode_options(encode_options(options));
  ASSERT_TRUE(decoded.has_value()) << decoded.error().message;
  EXPECT_EQ(decoded->limits.wall, options.limits.wall);
  EXPECT_EQ(decoded->limits.cpu, options.limits.cpu);
  EXPECT_EQ(decoded->limits.memory_bytes, 5U);
  EXPECT_EQ(decoded->limits.static_data_bytes, 6U);
  EXPECT_EQ(decoded->limits.source_bytes, 7U);
  EXPECT_EQ(decoded->include_dirs, options.include_dirs);
}

TEST(HelperJson, a_failure_keeps_its_stage_and_its_messages) {
  CompileFailure failure;
  failure.stage = "config";
  failure.rendered = "a line\nand \xff bytes that are no text\n";
  Diagnostic diagnostic;
  diagnostic.severity = Diagnostic::Severity::note;
  diagnostic.position = {3, 4};
  diagnostic.file = "/usr/include/stdio.h";
  diagnostic.message = "message";
  diagnostic.option = "-Woption";
  diagnostic.fixits = {{{1, 2}, {3, 4}, "text"}};
  failure.diagnostics = {diagnostic};
  const auto decoded =
      decode_answer({FrameKind::compiled, encode_answer({std::unexpected(failure), /*last=*/true}), {}});
  ASSERT_TRUE(decoded.has_value()) << decoded.error().message;
  EXPECT_TRUE(decoded->last);
  ASSERT_FALSE(decoded->outcome.has_value());
  const CompileFailure& got = decoded->outcome.error();
  EXPECT_EQ(got.stage, "config");
  EXPECT_THAT(got.rendered, HasSubstr("bytes that are no text"));
  ASSERT_THAT(got.diagnostics, SizeIs(1));
  EXPECT_EQ(got.diagnostics[0].severity, Diagnostic::Severity::note);
  EXPECT_EQ(got.diagnostics[0].position.column, 4U);
  EXPECT_EQ(got.diagnostics[0].file, "/usr/include/stdio.h");
  EXPECT_EQ(got.diagnostics[0].option, "-Woption");
  ASSERT_THAT(got.diagnostics[0].fixits, SizeIs(1));
  EXPECT_EQ(got.diagnostics[0].fixits[0].end.line, 3U);
  EXPECT_EQ(got.diagnostics[0].fixits[0].text, "text");
}

TEST(HelperJson, text_that_is_no_answer_is_an_error) {
  for (const char* text : {"", "{", "[]", "{}", "{\"last\":1}", "{\"last\":true,\"facts\":3}"}) {
    EXPECT_FALSE(decode_answer({FrameKind::compiled, text, {}}).has_value()) << text;
  }
  EXPECT_FALSE(decode_options("{}").has_value());
}

TEST(HelperJson, numbers_that_no_answer_has_are_an_error_and_unknown_words_are_harmless) {
  CompileFailure failure;
  failure.diagnostics.emplace_back();
  const std::string sent = encode_answer({std::unexpected(failure), /*last=*/false});
  const auto decoded_with = [&](std::string_view instead, std::string_view old) {
    std::string text = sent;
    text.replace(text.find(old), old.size(), instead);
    return decode_answer({FrameKind::compiled, text, {}});
  };
  for (const char* position : {"[1e300,0]", "[0,-1.5]", "[1e10,0]", "[[[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]]],0]"}) {
    EXPECT_FALSE(decoded_with(position, "[0,0]").has_value()) << position;
  }
  for (const char* severity : {"77", "-1", "\"fatal\"", "null"}) {
    const auto decoded = decoded_with(severity, "\"error\"");
    ASSERT_TRUE(decoded.has_value()) << severity;
    EXPECT_EQ(decoded->outcome.error().diagnostics.at(0).severity, Diagnostic::Severity::error);
  }
}

TEST(HelperJson, every_limit_has_its_word) {
  for (LimitReached limit :
       {LimitReached::memory, LimitReached::stack, LimitReached::cpu, LimitReached::crash, LimitReached::fatal}) {
    EXPECT_EQ(limit_of(word_of(limit)), limit);
  }
  EXPECT_EQ(limit_of("fatal error: why"), LimitReached::fatal);
  EXPECT_EQ(limit_of("something else"), LimitReached::crash);
}

}  // namespace
}  // namespace cweb::jit
